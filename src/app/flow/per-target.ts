/**
 * The datagrams of one client socket, each led by the rules as its own target says: with one decision for all of them a
 * client could begin with a target that is allowed and go on with one that is not.
 */
import { type Address, formatAddress } from '../../core/address.ts'
import type { PacketConn, PacketSink } from '../../core/datagrams/packet.ts'
import { PacketLayer } from '../../core/datagrams/packet-layer.ts'
import { WaitingPackets } from '../../core/datagrams/waiting-packets.ts'
import type { Outbound } from '../../core/dialer.ts'
import { ProxyError } from '../../core/errors.ts'
import { Life, type Lifetime } from '../../core/lifetime.ts'
import { limits } from '../../core/limits.ts'

/** How the datagrams for one target go on. */
export interface TargetWay {
  readonly outbound: Outbound
  /** Where they are sent instead; undefined: to the target. */
  readonly routed?: Address | undefined
}

export interface PerTargetDeps {
  /** Rejects or throws where a target is not to be reached. */
  readonly wayTo: (target: Address, until: Lifetime) => TargetWay | Promise<TargetWay>
  readonly open: (way: TargetWay, target: Address, until: Lifetime) => Promise<PacketConn>
}

/** What is known of a target: the way to it, datagrams that wait for one, or that there is none. */
type Known = PacketConn | WaitingPackets<Address> | 'none'

export class PerTarget extends PacketLayer {
  readonly #deps: PerTargetDeps
  readonly #life = new Life()
  readonly #targets = new Map<string, Known>()
  /** One for all targets of an outbound that are not renamed. */
  readonly #conns = new Map<Outbound, Promise<PacketConn>>()
  readonly #others = new Set<PacketConn>()
  #sink: PacketSink | undefined
  #last: { readonly host: string; readonly port: number; readonly conn: PacketConn } | undefined

  /** @param base opened by `first`, for `target` */
  constructor(base: PacketConn, first: TargetWay, target: Address, deps: PerTargetDeps) {
    super(base)
    this.#deps = deps
    this.#targets.set(formatAddress(target), base)
    if (!first.routed) this.#conns.set(first.outbound, Promise.resolve(base))
    base.onGone((why) => this.#end(why))
  }

  override send(bytes: Uint8Array, to: Address): boolean {
    const last = this.#last
    if (last && last.host === to.host && last.port === to.port) return last.conn.send(bytes, to)
    const known = this.#known(to)
    if (known === 'none') return this.drop()
    if (known instanceof WaitingPackets) {
      this.droppedHere += known.add(bytes, to)
      return true
    }
    this.#last = { host: to.host, port: to.port, conn: known }
    return known.send(bytes, to)
  }

  override drainTo(sink: PacketSink): Promise<void> {
    this.#sink = sink
    return this.base.drainTo(sink)
  }

  override destroy(why?: Error): void {
    this.base.destroy(why)
    this.#end(why ?? new ProxyError('CONN_CLOSED', 'the datagrams are over'))
  }

  #end(why: Error): void {
    this.#life.end(why)
    for (const conn of this.#others) conn.destroy(why)
    this.#targets.clear()
    this.#last = undefined
  }

  #known(to: Address): Known {
    const key = formatAddress(to)
    const known = this.#targets.get(key)
    if (known) return known
    const waiting = new WaitingPackets<Address>()
    this.#targets.set(key, waiting)
    if (this.#targets.size > limits.routedTargets) this.#targets.delete(this.#targets.keys().next().value!)
    void this.#learn(key, { host: to.host, port: to.port }, waiting)
    return waiting
  }

  async #learn(key: string, target: Address, waiting: WaitingPackets<Address>): Promise<void> {
    try {
      const way = await this.#deps.wayTo(target, this.#life)
      const conn = await this.#connTo(way, target)
      if (this.#targets.get(key) === waiting) this.#targets.set(key, conn)
      waiting.release((bytes, to) => conn.send(bytes, to))
    } catch {
      this.droppedHere += waiting.drop()
      if (this.#targets.get(key) === waiting) this.#targets.set(key, 'none')
    }
  }

  #connTo(way: TargetWay, target: Address): Promise<PacketConn> {
    if (way.routed) return this.#opened(way, target, () => this.#forget())
    const { outbound } = way
    const shared = this.#conns.get(outbound) ?? this.#opened(way, target, () => this.#forget(outbound))
    this.#conns.set(outbound, shared)
    return shared
  }

  /** One that ended is opened again with the next datagram. */
  #forget(outbound?: Outbound): void {
    if (outbound) this.#conns.delete(outbound)
    this.#last = undefined
    for (const [key, known] of this.#targets) if (isConn(known) && known.gone) this.#targets.delete(key)
  }

  async #opened(way: TargetWay, target: Address, ended: () => void): Promise<PacketConn> {
    try {
      const conn = await this.#deps.open(way, target, this.#life)
      this.#others.add(conn)
      conn.onGone(() => {
        this.#others.delete(conn)
        this.droppedHere += conn.dropped
        ended()
      })
      conn.drainTo((lent, from) => this.#sink?.(lent, from)).catch(() => conn.destroy())
      return conn
    } catch (error) {
      ended()
      throw error
    }
  }
}

const isConn = (known: Known): known is PacketConn => known !== 'none' && !(known instanceof WaitingPackets)
