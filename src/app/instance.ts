import { chmod } from 'node:fs/promises'
import { type Config, type InboundConfig, type ListenConfig, policyOf } from '../config/model.ts'
import { type Address, formatAddress } from '../core/address.ts'
import type { Conn } from '../core/conn.ts'
import type { Listener, Listening, Outbound } from '../core/dialer.ts'
import type { Env } from '../core/env.ts'
import { ProxyError } from '../core/errors.ts'
import type { Inbound, InboundIo } from '../core/inbound.ts'
import { limits } from '../core/limits.ts'
import type { Observer } from '../core/observer.ts'
import { removeStaleSocket } from '../net/stale-socket.ts'
import { ReplayMemory, SessionHistory } from '../protocol/vmess/replay.ts'
import { buildInbound, buildOutbound, readTextFile } from './build.ts'
import { DescriptorGuard } from './descriptor-guard.ts'
import { createDispatch } from './dispatch.ts'
import { LoopGuard } from './loop-guard.ts'
import { allOf } from './observers.ts'
import { readSwitches } from './switches.ts'
import type { ReadText } from './tls-files.ts'

export interface InstanceDeps {
  readonly env: Env
  readonly observers?: readonly Observer[]
  /** Reads certificate files; by default from the disk. */
  readonly readText?: ReadText
}

/** One address that an inbound listens on. */
interface Port {
  readonly inbound: InboundConfig
  readonly handler: Inbound
  readonly io: InboundIo
  readonly listener: Listener
  readonly listen: ListenConfig
  listening?: Listening
}

/** A configuration at work: its listeners, its outbounds, and the connections in progress. */
export class Instance implements AsyncDisposable {
  readonly #env: Env
  readonly #ports: readonly Port[]
  readonly #outbounds: readonly Outbound[]
  readonly #loops = new LoopGuard()
  readonly #descriptors: DescriptorGuard
  readonly #connections = new Set<Conn>()
  readonly #handshakes = new Set<Conn>()
  #allGone: (() => void) | undefined
  #stopped: Promise<void> | undefined

  /** Reads certificate files, but opens nothing. Throws ConfigError. */
  constructor(config: Config, { env, observers = [], readText = readTextFile }: InstanceDeps) {
    this.#env = env
    this.#descriptors = new DescriptorGuard(env, {
      pause: () => this.#closeListeners(),
      resume: () => this.#reopen(),
      connections: () => this.#connections.size,
    })
    const loops = this.#loops
    this.#outbounds = config.outbounds.map((outbound) =>
      buildOutbound(outbound, { env, read: readText, watch: (base) => loops.watch(base) }),
    )
    const observer = allOf(observers, env.log)
    const dispatch = {
      env,
      policy: config.policy,
      outbounds: this.#outbounds,
      observer,
      loops,
      handshakes: this.#handshakes,
    }
    const memory = {
      env,
      replay: new ReplayMemory(env.clock),
      history: new SessionHistory(env.clock),
      legacyUsers: readSwitches().legacyUsers,
    }
    this.#ports = config.inbounds.flatMap((inbound) => {
      const { handler, listener } = buildInbound(inbound, {
        ...memory,
        read: readText,
        handshakeTimeoutMs: Math.min(policyOf(config.policy, 0).handshake * 1000, 2 ** 31 - 1),
        onDescriptor: (fd) => this.#descriptors.opened(fd),
        onTlsError: (source, error) => observer.rejected({ inboundTag: inbound.tag, source, email: '' }, error),
      })
      const io = createDispatch(inbound, dispatch)
      return inbound.listen.map((listen) => ({ inbound, handler, io, listener, listen }))
    })
  }

  /** Opens every listener, or none: rejects with LISTEN_FAILED after closing those already open. */
  async start(): Promise<void> {
    try {
      for (const port of this.#ports) await this.#open(port, port.listen.address)
    } catch (error) {
      this.#stopListening()
      throw error
    }
  }

  /** What is being listened on, port 0 filled in. */
  get listening(): { tag: string; protocol: string; address: Address }[] {
    return this.#ports.flatMap(({ inbound, listening }) =>
      listening ? [{ tag: inbound.tag, protocol: inbound.protocol, address: listening.address }] : [],
    )
  }

  /** Client connections in progress. */
  get connections(): number {
    return this.#connections.size
  }

  /**
   * Stops accepting, cuts what carries nothing yet or no more, waits for the other connections to end, and cuts those left
   * after `graceMs`. Called again it waits for the same end; with 0 it hastens it.
   */
  stop(graceMs: number = limits.shutdownMs): Promise<void> {
    if (this.#stopped && graceMs === 0) this.kill()
    this.#stopped ??= this.#stop(graceMs)
    return this.#stopped
  }

  async #stop(graceMs: number): Promise<void> {
    this.#descriptors.close()
    this.#stopListening()
    const reason = new ProxyError('SHUTTING_DOWN', 'the program is stopping')
    for (const conn of this.#handshakes) conn.destroy(reason)
    if (this.#connections.size > 0) {
      await new Promise<void>((resolve) => {
        const cancel = this.#env.clock.after(graceMs, resolve)
        this.#allGone = () => {
          cancel()
          resolve()
        }
      })
    }
    this.kill()
    await Promise.all(this.#outbounds.map((outbound) => outbound.close()))
  }

  /** Cuts every connection now; a stop() in progress then ends at once. */
  kill(): void {
    this.#allGone?.()
    const reason = new ProxyError('SHUTTING_DOWN', 'the program is stopping')
    for (const conn of this.#connections) conn.destroy(reason)
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop(0)
  }

  async #open(port: Port, at: Address): Promise<void> {
    if (at.path !== undefined) await removeStaleSocket(at.path)
    const listening = await port.listener.listen(at, (conn) => this.#accept(port, conn))
    if (this.#stopped) return void listening.close()
    port.listening = listening
    if (at.path === undefined) this.#loops.listening(formatAddress(port.listening.address))
    else if (port.listen.mode !== undefined) await chmod(at.path, port.listen.mode)
  }

  /** Does not wait: a listener reports itself closed only when the connections it accepted are gone. */
  #closeListeners(): void {
    for (const port of this.#ports) void port.listening?.close()
  }

  #stopListening(): void {
    this.#closeListeners()
    for (const port of this.#ports) delete port.listening
  }

  #reopen(): void {
    for (const port of this.#ports) if (port.listening) this.#reopenPort(port, port.listening.address)
  }

  /** An address that was ours a moment ago may be had again, if not at once. */
  #reopenPort(port: Port, at: Address): void {
    if (this.#stopped) return
    this.#open(port, at).catch((error: Error) => {
      this.#env.log.error({ inbound: port.inbound.tag }, `${error.message}; trying again`)
      this.#env.clock.after(limits.reopenMs, () => this.#reopenPort(port, at))
    })
  }

  #accept(port: Port, conn: Conn): void {
    if (this.#stopped) {
      conn.destroy()
      return
    }
    this.#connections.add(conn)
    port.handler
      .serve(conn, port.io)
      .catch((error: Error) =>
        this.#env.log.error({ err: error, inbound: port.inbound.tag }, 'a connection failed in an unexpected way'),
      )
      .finally(() => {
        conn.destroy()
        this.#connections.delete(conn)
        if (this.#connections.size === 0) this.#allGone?.()
      })
  }
}

export const createInstance = (config: Config, deps: InstanceDeps): Instance => new Instance(config, deps)
