import type { Address } from '../../core/address.ts'
import type { Conn } from '../../core/conn.ts'
import type { Layer, Listener } from '../../core/dialer.ts'
import type { Env } from '../../core/env.ts'
import { ProxyError } from '../../core/errors.ts'
import type { Inbound } from '../../core/inbound.ts'
import type { UserDirectory } from '../../protocol/vmess/users.ts'
import type { InboundConfig, ListenConfig, VmessUser } from '../../settings/model.ts'
import { passageStack } from '../../transport/stack.ts'
import type { Origin } from '../flow/flow.ts'
import { DynamicPorts, type LivePort, minutesMax } from './dynamic-ports.ts'
import { Port, portKey } from './port.ts'

/** What an inbound is at a moment: built anew from each configuration that it gets. */
export interface InboundParts {
  readonly config: InboundConfig
  readonly handler: Inbound
  /** Binds the addresses. */
  readonly base: Listener
  /** What connections go through before the handler has them, innermost first. */
  readonly layers: readonly Layer[]
  /** Text of the files that were read for it, such as certificates. */
  readonly files: readonly string[]
}

export interface InboundHost {
  readonly env: Env
  /** Serves an accepted connection until it ends. */
  accept(handler: Inbound, conn: Conn): void
  /** A port of ours is open. */
  listening(address: Address): void
}

/** An inbound at work: its addresses, its users, and the handler that serves whoever connects. */
export class RunningInbound implements Origin {
  /** Of a VMess inbound. */
  readonly users: UserDirectory<VmessUser> | undefined
  readonly #host: InboundHost
  readonly #ports = new Map<string, Port>()
  readonly #moving: DynamicPorts
  #parts: InboundParts
  #paused = false
  #closed = false
  /** Connections that the handler serves. */
  serving = 0

  constructor(parts: InboundParts, users: UserDirectory<VmessUser> | undefined, host: InboundHost) {
    this.#parts = parts
    this.users = users
    this.#host = host
    this.#moving = new DynamicPorts(this, host.env)
  }

  get tag(): string {
    return this.config.tag
  }

  get at(): string {
    return this.config.at
  }

  get config(): InboundConfig {
    return this.#parts.config
  }

  get parts(): InboundParts {
    return this.#parts
  }

  /**
   * Serves new connections in this way from now on. Ports stay open; which there should be is the caller's business.
   */
  adopt(parts: InboundParts): void {
    const before = this.#parts
    this.#parts = parts
    for (const port of this.#ports.values()) {
      if (parts.base !== before.base) port.rebind(parts.base)
      if (parts.layers !== before.layers) this.#lead(port)
    }
  }

  /** Connections that are not served yet: they wait, or are in a handshake of the transport. */
  get pending(): number {
    return this.ports.reduce((sum, { pending }) => sum + pending, 0)
  }

  /** Connections in progress, pending ones included. */
  get connections(): number {
    return this.pending + this.serving
  }

  /** What is being listened on, port 0 filled in. */
  get addresses(): readonly Address[] {
    return [...this.#ports.values()].map(({ address }) => address)
  }

  get ports(): readonly Port[] {
    return [...this.#ports.values()]
  }

  isOpen(listen: ListenConfig): boolean {
    return this.#ports.has(portKey(listen))
  }

  /** Opens every address, or the first of those that move. Rejects with LISTEN_FAILED. */
  async openAll(): Promise<void> {
    if (this.config.allocate) return this.movePorts()
    for (const listen of this.config.listen) await this.open(listen)
  }

  /**
   * Moves ports as the configuration says; again after adopt(). Ports that clients were told of stay open for the rest of
   * their time, but where ports do not move any more the open ones are left to the caller. Rejects with LISTEN_FAILED.
   */
  movePorts(): Promise<void> {
    const { tag, listen, allocate } = this.config
    return this.#moving.follow(allocate && { tag, listen, allocate })
  }

  /** A port that a client can be sent to; undefined without any. One that does not move is good for as long as can be said. */
  randomPort(): LivePort | undefined {
    if (this.#moving.active) return this.#moving.randomPort()
    const open = this.addresses.filter(({ path }) => path === undefined)
    if (open.length === 0) return undefined
    return { port: open[this.#host.env.random.below(open.length)]!.port, minutes: minutesMax }
  }

  /** Resolves with what was bound. Rejects with LISTEN_FAILED. */
  async open(listen: ListenConfig): Promise<Address> {
    const port = await Port.open(listen, this.#parts.base, this.#host.env)
    if (this.#closed) {
      port.close()
      throw new ProxyError('LISTEN_FAILED', `the inbound "${this.tag || this.at}" was closed while it opened`)
    }
    this.hold(port)
    return port.address
  }

  /** Takes over an open port; connections that wait there are served. */
  hold(port: Port): void {
    this.#ports.set(port.key, port)
    if (this.#paused) port.pause()
    this.#host.listening(port.address)
    this.#lead(port)
  }

  /** Gives an open port away. */
  release(listen: ListenConfig): Port | undefined {
    const port = this.#ports.get(portKey(listen))
    this.#ports.delete(portKey(listen))
    return port
  }

  /** Stops accepting there; connections live on. */
  close(listen: ListenConfig): void {
    this.release(listen)?.close()
  }

  /** For good: what is being opened is closed too. */
  closeAll(): void {
    this.#closed = true
    this.#moving.stop()
    for (const { listen } of this.ports) this.close(listen)
  }

  /** Stops accepting for a while: see resume(). */
  pause(): void {
    this.#paused = true
    for (const port of this.#ports.values()) port.pause()
  }

  resume(): void {
    this.#paused = false
    for (const port of this.#ports.values()) port.resume()
  }

  #lead(port: Port): void {
    const { layers } = this.#parts
    port.lead(passageStack(layers, (conn) => this.#host.accept(this.#parts.handler, conn)))
  }
}
