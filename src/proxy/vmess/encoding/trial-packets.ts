import type { Address } from '../../../core/address.ts'
import type { PacketConn, PacketInfo, PacketSink } from '../../../core/datagrams/packet.ts'
import { PacketEnd } from '../../../core/datagrams/packet-end.ts'
import { WaitingPackets } from '../../../core/datagrams/waiting-packets.ts'
import type { Clock } from '../../../core/env.ts'
import { type ProxyError, toProxyError } from '../../../core/errors.ts'
import type { Lifetime } from '../../../core/lifetime.ts'
import { limits } from '../../../core/limits.ts'

export interface TrialOptions {
  readonly clock: Clock
  /** Opens the other way. */
  instead(until: Lifetime): Promise<PacketConn>
  /** The server has ended the first way without a word. */
  refused(): void
}

/**
 * A way that its server may refuse by ending it. Where that happens before the server has said anything, the other way is
 * opened, and gets what was sent: the client notices nothing.
 */
export class TrialPackets extends PacketEnd {
  readonly #options: TrialOptions
  readonly #untilMs: number
  #conn: PacketConn
  /** What the server may have lost; absent when the trial is over. */
  #copies: WaitingPackets<Address> | undefined = new WaitingPackets()
  #changing = false
  #pumping = false
  #closed = false
  #droppedBefore = 0

  constructor(first: PacketConn, options: TrialOptions) {
    super()
    this.#conn = first
    this.#options = options
    this.#untilMs = options.clock.elapsed() + limits.xudpTrialMs
  }

  /** The server has said something: it is this way for good. */
  spoke(): void {
    this.#copies = undefined
  }

  get info(): PacketInfo {
    return this.#conn.info
  }

  get dropped(): number {
    return this.#droppedBefore + this.#conn.dropped
  }

  override drainTo(sink: PacketSink): Promise<void> {
    const drained = super.drainTo(sink)
    if (!this.#pumping) this.#pump(this.#conn)
    return drained
  }

  send(bytes: Uint8Array, to: Address): boolean {
    if (this.gone || this.#closed) return this.#drop()
    if (this.#changing) return this.#keep(bytes, to)
    if (!this.#conn.send(bytes, to)) return false
    if (this.#copies) this.#keep(bytes, to)
    return true
  }

  async closeWrite(): Promise<void> {
    this.#closed = true
    if (!this.#changing) await this.#conn.closeWrite()
  }

  destroy(why?: Error): void {
    this.#copies = undefined
    this.#conn.destroy(why)
    this.reader.fail(why ?? this.#conn.gone!)
  }

  #keep(bytes: Uint8Array, to: Address): boolean {
    this.#copies ??= new WaitingPackets()
    const gone = this.#copies.add(bytes, to)
    if (this.#changing) this.#droppedBefore += gone
    return true
  }

  #drop(): boolean {
    this.#droppedBefore++
    return false
  }

  #pump(conn: PacketConn): void {
    this.#pumping = true
    conn
      .drainTo((lent, from) => void this.reader.deliver(lent, from))
      .then(
        () => this.#ended(conn),
        (error) => this.#ended(conn, toProxyError(error, 'CONN_CLOSED')),
      )
  }

  #ended(conn: PacketConn, error?: ProxyError): void {
    if (this.gone) return
    if (this.#copies && !this.#changing && this.#options.clock.elapsed() < this.#untilMs) {
      void this.#change()
      return
    }
    if (error) this.reader.fail(error)
    this.reader.end()
    conn.onGone((why) => this.reader.fail(why))
  }

  async #change(): Promise<void> {
    this.#changing = true
    this.#options.refused()
    try {
      const conn = await this.#options.instead(this)
      if (this.gone) return conn.destroy()
      this.#droppedBefore += this.#conn.dropped
      this.#conn.destroy()
      this.#conn = conn
      this.#copies?.release((bytes, to) => conn.send(bytes, to))
      this.#copies = undefined
      this.#changing = false
      this.#pump(conn)
      if (this.#closed) await conn.closeWrite()
    } catch (error) {
      this.reader.fail(toProxyError(error, 'CONN_CLOSED'))
    }
  }
}
