import { type Address, formatAddress } from '../../core/address.ts'
import type { ConnInfo } from '../../core/conn.ts'
import type { UdpListening } from '../../core/datagrams/packet.ts'
import type { Env } from '../../core/env.ts'
import { ProxyError } from '../../core/errors.ts'
import { limits } from '../../core/limits.ts'
import { takeBuffer } from '../../core/streams/pool.ts'
import { TimerWheel } from '../../core/time/timer-wheel.ts'
import type { Masks } from '../../protocol/kcp/mask.ts'
import { commands, SegmentReader } from '../../protocol/kcp/segment.ts'
import { KcpSession } from '../../protocol/kcp/session.ts'
import type { KcpConfig } from '../../settings/kcp.ts'
import { KcpConn } from './conn.ts'
import { KcpStrangers } from './strangers.ts'
import { type Wrapping, wrappingOf } from './wrapping.ts'

/**
 * The connections that came to one address with one kind of settings, known by where their datagrams come from and by the
 * number of the conversation. Whoever does not send what begins a connection gets no answer.
 */
export class KcpConnections {
  readonly #env: Env
  readonly #wrapping: Wrapping
  readonly #masks: Masks
  readonly #wheel: TimerWheel
  readonly #strangers = new KcpStrangers()
  /** By host; then by port and conversation in one number. */
  readonly #known = new Map<string, Map<number, KcpConn>>()
  readonly #reader = new SegmentReader()
  /** Gets new ones; undefined: none are taken. */
  accept: ((conn: KcpConn) => void) | undefined
  /** Told when the last one is gone. */
  readonly #empty: () => void
  size = 0

  constructor(config: KcpConfig, env: Env, empty: () => void) {
    const { clock, random } = env
    this.#env = env
    this.#empty = empty
    this.#wrapping = wrappingOf(config, random)
    this.#masks = this.#wrapping.masks()
    this.#wheel = new TimerWheel(clock.elapsed, clock.after, limits.kcpTimerMs)
  }

  /** A datagram; lent. False: it is not for one of these. */
  receive(lent: Uint8Array, from: Address, at: UdpListening): boolean {
    const segments = this.#masks.open(lent)
    if (!segments || segments.length < 4) return false
    const key = from.port * 0x1_0000 + segments[0]! * 0x100 + segments[1]!
    const conn = this.#known.get(from.host)?.get(key) ?? this.#meet(segments, from, key, at)
    conn?.receive(segments)
    return conn !== undefined
  }

  /** Ends all of them; nobody is told. */
  drop(why: Error): void {
    for (const conns of [...this.#known.values()]) for (const conn of [...conns.values()]) conn.drop(why)
  }

  #meet(segments: Uint8Array, from: Address, key: number, at: UdpListening): KcpConn | undefined {
    if (!this.accept || this.size >= limits.kcpConnections || !this.#begins(segments)) return undefined
    const { clock } = this.#env
    const conn: KcpConn = new KcpConn({
      session: new KcpSession({
        conv: key % 0x1_0000,
        sizes: this.#wrapping.sizes,
        receiveWindow: limits.kcpStrangerWindow,
        nowMs: clock.elapsed(),
        take: takeBuffer,
        emit: (segment) => void at.send(this.#masks.wrap(segment), from),
      }),
      clock,
      wheel: this.#wheel,
      info: this.#infoOf(from, at, () => this.#admit(conn)),
      over: () => this.#forget(from.host, key, conn),
    })
    this.#enter(from.host, key, conn)
    this.accept(conn)
    return conn
  }

  #infoOf(from: Address, at: UdpListening, admitted: () => void): ConnInfo {
    const [remote, local] = [formatAddress(from), formatAddress(at.address)]
    return { remote, local, layers: ['udp', 'kcp'], halfClose: 'none', admitted }
  }

  /**
   * The first data of a connection, or a ping of one that has sent nothing yet. (V2Ray takes anything but a termination, and so
   * is left with connections that were those of a server before it.)
   */
  #begins(segments: Uint8Array): boolean {
    const segment = this.#reader
    segment.begin(segments)
    if (!segment.next()) return false
    if (segment.command === commands.data) return segment.number < limits.kcpStrangerWindow
    return segment.command === commands.ping && segment.sendingNext === 0 && segment.receivingNext === 0
  }

  #enter(host: string, key: number, conn: KcpConn): void {
    this.size++
    const conns = this.#known.get(host) ?? new Map<number, KcpConn>()
    this.#known.set(host, conns.set(key, conn))
    this.#strangers.add(conn)?.drop(evicted)
  }

  #admit(conn: KcpConn): void {
    if (this.#strangers.remove(conn)) conn.widen()
  }

  #forget(host: string, key: number, conn: KcpConn): void {
    this.#strangers.remove(conn)
    const conns = this.#known.get(host)
    if (conns?.get(key) !== conn) return
    conns.delete(key)
    if (conns.size === 0) this.#known.delete(host)
    this.size--
    if (this.size === 0) this.#empty()
  }
}

const evicted = new ProxyError('STRANGER_EVICTED', 'an mKCP connection in its handshake made room for a newer one')
