import { chmod } from 'node:fs/promises'
import type { InboundConfig, ListenConfig, VmessUser } from '../config/model.ts'
import { type Address, formatAddress } from '../core/address.ts'
import type { Conn } from '../core/conn.ts'
import type { Listener, Listening } from '../core/dialer.ts'
import type { Env } from '../core/env.ts'
import type { Inbound } from '../core/inbound.ts'
import { limits } from '../core/limits.ts'
import { removeStaleSocket } from '../net/stale-socket.ts'
import type { UserDirectory } from '../protocol/vmess/users.ts'
import type { Origin } from './flow.ts'

/** What an inbound is at a moment: built anew from each configuration that it gets. */
export interface InboundParts {
  readonly config: InboundConfig
  readonly handler: Inbound
  readonly listener: Listener
}

export interface InboundHost {
  readonly env: Env
  /** Serves an accepted connection until it ends. */
  accept(handler: Inbound, conn: Conn): void
  /** A port of ours is open. */
  listening(address: Address): void
}

interface Port {
  readonly listen: ListenConfig
  /** Where it really listens; kept while accepting is paused. */
  address: Address
  listening: Listening | undefined
  closed: boolean
}

/** An inbound at work: its addresses, its users, and the handler that serves whoever connects. */
export class RunningInbound implements Origin {
  readonly tag: string
  readonly at: string
  /** Of a VMess inbound. */
  readonly users: UserDirectory<VmessUser> | undefined
  readonly #host: InboundHost
  readonly #ports = new Map<string, Port>()
  #parts: InboundParts
  /** Connections in progress. */
  connections = 0

  constructor(parts: InboundParts, users: UserDirectory<VmessUser> | undefined, host: InboundHost) {
    this.tag = parts.config.tag
    this.at = parts.config.at
    this.#parts = parts
    this.users = users
    this.#host = host
  }

  get config(): InboundConfig {
    return this.#parts.config
  }

  /** Serves new connections in this way from now on. Addresses are the caller's business. */
  adopt(parts: InboundParts): void {
    this.#parts = parts
  }

  /** What is being listened on, port 0 filled in. */
  get addresses(): readonly Address[] {
    return [...this.#ports.values()].map(({ address }) => address)
  }

  isOpen(listen: ListenConfig): boolean {
    return this.#ports.has(keyOf(listen))
  }

  /** Rejects with LISTEN_FAILED. */
  async open(listen: ListenConfig): Promise<void> {
    const port: Port = { listen, address: listen.address, listening: undefined, closed: false }
    await this.#listen(port)
    this.#ports.set(keyOf(listen), port)
  }

  /** Stops accepting there; connections live on. Resolves when the address is free, which it is with the last of them. */
  close(listen: ListenConfig): void {
    const port = this.#ports.get(keyOf(listen))
    if (!port) return
    this.#ports.delete(keyOf(listen))
    port.closed = true
    void port.listening?.close()
  }

  closeAll(): void {
    for (const { listen } of [...this.#ports.values()]) this.close(listen)
  }

  /** Stops accepting for a while: see resume(). */
  pause(): void {
    for (const port of this.#ports.values()) {
      void port.listening?.close()
      port.listening = undefined
    }
  }

  resume(): void {
    for (const port of this.#ports.values()) if (!port.listening) this.#reopen(port)
  }

  /** An address that was ours a moment ago may be had again, if not at once. */
  #reopen(port: Port): void {
    if (port.closed || port.listening) return
    this.#listen(port).catch((error: Error) => {
      this.#host.env.log.error({ inbound: this.tag }, `${error.message}; trying again`)
      this.#host.env.clock.after(limits.reopenMs, () => this.#reopen(port))
    })
  }

  async #listen(port: Port): Promise<void> {
    const { path } = port.listen.address
    if (path !== undefined) await removeStaleSocket(path)
    const { listener } = this.#parts
    const listening = await listener.listen(port.address, (conn) => this.#host.accept(this.#parts.handler, conn))
    if (port.closed) return void listening.close()
    port.listening = listening
    port.address = listening.address
    if (path === undefined) this.#host.listening(listening.address)
    else if (port.listen.mode !== undefined) await chmod(path, port.listen.mode)
  }
}

const keyOf = ({ address }: ListenConfig): string => formatAddress(address)
