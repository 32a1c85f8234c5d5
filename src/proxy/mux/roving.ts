import type { Address } from '../../core/address.ts'
import type { PacketConn, PacketInfo, PacketSink } from '../../core/datagrams/packet.ts'
import type { Cancel, Clock } from '../../core/env.ts'
import { ProxyError } from '../../core/errors.ts'
import { Life } from '../../core/lifetime.ts'
import { limits } from '../../core/limits.ts'

/**
 * The datagrams of one socket of a client, on whichever carrier they come: what stands behind it, and with it the port
 * by which others know the client, stays when the carrier changes. It waits `limits.xudpExpiryMs` for the next one.
 */
export class RovingPackets implements PacketConn {
  readonly #clock: Clock
  readonly #life = new Life()
  #current: PacketConn | undefined
  #info: PacketInfo
  #sink: PacketSink | undefined
  #fail: ((why: unknown) => void) | undefined
  /** Dropped on carriers that are left, or while there was none. */
  #droppedBefore = 0
  #closed = false
  #cancelExpiry: Cancel | undefined

  constructor(clock: Clock, first: PacketConn) {
    this.#clock = clock
    this.#info = first.info
    this.moveTo(first)
  }

  /** Leaves the carrier that it is on, which ends the session there. Takes `conn` over. */
  moveTo(conn: PacketConn): void {
    this.#cancelExpiry?.()
    const before = this.#current
    this.#droppedBefore += before?.dropped ?? 0
    this.#current = conn
    this.#info = conn.info
    before?.destroy(new ProxyError('CONN_CLOSED', 'the client goes on with these datagrams on another carrier'))
    this.#drain(conn)
    if (this.#closed) conn.closeWrite()
    conn.onGone(() => this.#left(conn))
  }

  get gone(): Error | undefined {
    return this.#life.gone
  }

  onGone(run: (why: Error) => void): Cancel {
    return this.#life.onGone(run)
  }

  /** Of the carrier that it is on, or was on last. */
  get info(): PacketInfo {
    return this.#info
  }

  get dropped(): number {
    return this.#droppedBefore + (this.#current?.dropped ?? 0)
  }

  /** Does not end with a carrier: never resolves. */
  drainTo(sink: PacketSink): Promise<void> {
    if (this.#sink) return Promise.reject(new ProxyError('PROTOCOL_MISUSE', 'the datagrams have a receiver already'))
    if (this.#life.gone) return Promise.reject(this.#life.gone)
    return new Promise((_resolve, reject) => {
      this.#fail = reject
      this.#sink = sink
      if (this.#current) this.#drain(this.#current)
    })
  }

  send(bytes: Uint8Array, to: Address): boolean {
    if (this.#current) return this.#current.send(bytes, to)
    this.#droppedBefore++
    return false
  }

  closeWrite(): void | Promise<void> {
    this.#closed = true
    return this.#current?.closeWrite()
  }

  destroy(why: Error = new ProxyError('CONN_CLOSED', 'the datagrams of a client were ended')): void {
    if (this.#life.gone) return
    this.#cancelExpiry?.()
    this.#life.end(why)
    this.#fail?.(why)
    this.#current?.destroy(why)
  }

  #drain(conn: PacketConn): void {
    if (!this.#sink) return
    // The client's orderly end is the end of the carrier, not of the socket; every other end is seen by onGone().
    conn
      .drainTo((lent, from) => this.#pass(lent, from))
      .then(
        () => conn.destroy(),
        () => {},
      )
  }

  #pass(lent: Uint8Array, from: Address): void {
    try {
      this.#sink?.(lent, from)
    } catch (error) {
      this.#sink = undefined
      this.#fail?.(error)
    }
  }

  #left(conn: PacketConn): void {
    if (this.#current !== conn || this.#life.gone) return
    this.#droppedBefore += conn.dropped
    this.#current = undefined
    const seconds = limits.xudpExpiryMs / 1000
    this.#cancelExpiry = this.#clock.after(limits.xudpExpiryMs, () =>
      this.destroy(
        new ProxyError('IDLE_TIMEOUT', `the client has not come back for its datagrams within ${seconds} s`),
      ),
    )
  }
}
