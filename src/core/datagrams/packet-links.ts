import type { Address } from '../address.ts'
import type { Cancel, Clock } from '../env.ts'
import { ProxyError, toProxyError } from '../errors.ts'
import type { Lifetime } from '../lifetime.ts'
import { limits } from '../limits.ts'
import type { PacketConn, PacketInfo, PacketSink } from './packet.ts'
import { PacketEnd } from './packet-end.ts'
import { keyOf, type Link, type Sharing } from './packet-link.ts'
import { WaitingPackets } from './waiting-packets.ts'

export interface PacketLinksOptions {
  /** Opens a connection for one target. */
  open(target: Address, until: Lifetime): Promise<PacketConn>
  readonly clock: Clock
  /** Absent: every target has a connection of its own. */
  readonly sharing?: Sharing
}

/** What a V2Ray takes whatever the security and options: the size is not known before there is a connection. */
const safePayload = 1_951

/**
 * One client socket over connections that name one target each: every target gets a connection of its own, so that no
 * datagram goes astray, unless targets may share one. Gone when the last of them broke; where others are left the target is
 * tried again later.
 */
export class PacketLinks extends PacketEnd {
  readonly #options: PacketLinksOptions
  readonly #links = new Map<string, Link>()
  #info: PacketInfo = { remote: '', local: '', largest: safePayload, encoding: 'plain', layers: [] }
  #last: Link | undefined
  /** The one that carries datagrams to every target, or is to. */
  #common: Link | undefined
  #dropped = 0
  #closed = false
  #cancelSweep: Cancel | undefined

  /** @param first the way to the first target, where it is there already */
  constructor(options: PacketLinksOptions, first?: { readonly target: Address; readonly conn: PacketConn }) {
    super()
    this.#options = options
    if (!first) return
    const link = this.#ownLink(first.target)
    this.#adopt(link, first.conn)
    if (options.sharing && !options.sharing.apart(first.target) && this.#isCommon(options.sharing, link))
      this.#common = link
  }

  /** As that of the way that was opened last. */
  get info(): PacketInfo {
    return this.#last?.conn?.info ?? this.#info
  }

  get dropped(): number {
    let all = this.#dropped
    for (const { conn } of this.#links.values()) all += conn?.dropped ?? 0
    return all
  }

  send(bytes: Uint8Array, to: Address): boolean {
    if (this.#closed || bytes.length === 0) return this.#drop()
    const link = this.#linkTo(to)
    const now = this.#options.clock.elapsed()
    link.usedMs = now
    if (link.conn) return link.conn.send(bytes, link === this.#common ? to : link.target)
    if (bytes.length > this.info.largest) return this.#drop()
    if (!link.opening) {
      if (link.retryMs > now) return this.#drop()
      void this.#open(link)
    }
    this.#dropped += link.waiting.add(bytes, to)
    return true
  }

  async closeWrite(): Promise<void> {
    this.#closed = true
    await Promise.all([...this.#links.values()].map(({ conn }) => conn?.closeWrite()))
  }

  destroy(why?: Error): void {
    if (this.gone) return
    const reason = why ?? new ProxyError('CONN_CLOSED', 'the datagram connections were closed')
    this.#closed = true
    this.#cancelSweep?.()
    this.reader.fail(reason)
    for (const link of this.#links.values()) this.#take(link)?.destroy(reason)
    this.#links.clear()
  }

  #drop(): boolean {
    this.#dropped++
    return false
  }

  #linkTo(to: Address): Link {
    const { sharing } = this.#options
    if (!sharing || sharing.apart(to)) return this.#ownLink(to)
    if (!this.#isCommon(sharing, this.#common)) this.#common = this.#findCommon(sharing, to)
    return this.#common ?? this.#ownLink(to)
  }

  #isCommon(sharing: Sharing, link: Link | undefined): boolean {
    if (!link || !this.#has(link)) return false
    return link.conn ? sharing.everywhere(link.conn) : sharing.expected()
  }

  #findCommon(sharing: Sharing, to: Address): Link | undefined {
    for (const link of this.#links.values()) if (link.conn && sharing.everywhere(link.conn)) return link
    if (!sharing.expected()) return undefined
    const own = this.#ownLink(to)
    // One that is there already has shown that it does not.
    return own.conn ? undefined : own
  }

  #ownLink(to: Address): Link {
    const last = this.#last
    if (last && last.target.port === to.port && last.target.host === to.host) return last
    this.#last = this.#links.get(keyOf(to)) ?? this.#add(to)
    return this.#last
  }

  #add(target: Address): Link {
    const usedMs = this.#options.clock.elapsed()
    const most = this.#options.sharing ? limits.packetsWaitingShared : limits.packetsWaiting
    const link: Link = {
      target,
      conn: undefined,
      opening: false,
      waiting: new WaitingPackets(most),
      usedMs,
      retryMs: 0,
    }
    if (this.#links.size >= limits.packetTargets) this.#end(this.#byUse()[0]!)
    this.#links.set(keyOf(target), link)
    if (this.#links.size > 1) this.#cancelSweep ??= this.#options.clock.after(limits.packetTargetIdleMs, this.#sweep)
    return link
  }

  async #open(link: Link): Promise<void> {
    link.opening = true
    try {
      const conn = await this.#options.open(link.target, this)
      if (this.#has(link)) this.#adopt(link, conn)
      else conn.destroy()
    } catch (error) {
      this.#failed(link, error)
    } finally {
      link.opening = false
    }
  }

  #adopt(link: Link, conn: PacketConn): void {
    link.conn = conn
    const { sharing } = this.#options
    const astray = link === this.#common && !this.#isCommon(sharing!, link)
    if (astray) this.#common = undefined
    link.waiting.release((bytes, to) => (astray ? this.send(bytes, to) : conn.send(bytes, to)))
    const sink: PacketSink = (lent, from) => {
      link.usedMs = this.#options.clock.elapsed()
      this.reader.deliver(lent, from)
    }
    conn.drainTo(sink).then(
      () => this.#end(link),
      (error) => this.#failed(link, error),
    )
    // After closeWrite() it was opened for what was waiting.
    if (this.#closed) void conn.closeWrite()
  }

  #failed(link: Link, error: unknown): void {
    if (!this.#has(link)) return
    const resumed = link.conn !== undefined && this.#options.sharing?.resumes(link.conn)
    this.#take(link)?.destroy()
    if (resumed) return
    link.retryMs = this.#options.clock.elapsed() + limits.packetRetryMs
    const others = [...this.#links.values()].some((other) => other !== link && (other.conn || other.opening))
    if (!others) this.destroy(toProxyError(error, 'CONN_CLOSED'))
  }

  /** A way is not needed any more, or the server ended it in order. */
  #end(link: Link): void {
    if (!this.#has(link)) return
    this.#links.delete(keyOf(link.target))
    if (this.#last === link) this.#last = undefined
    if (this.#common === link) this.#common = undefined
    const conn = this.#take(link)
    if (conn) Promise.resolve(conn.closeWrite()).then(() => conn.destroy())
    if (this.#closed && this.#links.size === 0) this.reader.end()
  }

  /** Takes the connection away, and counts what was dropped on it and before it. */
  #take(link: Link): PacketConn | undefined {
    const { conn } = link
    this.#info = conn?.info ?? this.#info
    this.#dropped += link.waiting.drop() + (conn?.dropped ?? 0)
    link.conn = undefined
    return conn
  }

  #has(link: Link): boolean {
    return this.#links.get(keyOf(link.target)) === link
  }

  /** The one that was quiet longest first. */
  #byUse(): Link[] {
    return [...this.#links.values()].toSorted((a, b) => a.usedMs - b.usedMs)
  }

  readonly #sweep = (): void => {
    this.#cancelSweep = undefined
    const before = this.#options.clock.elapsed() - limits.packetTargetIdleMs
    // The last one stays: how long a flow as a whole may be idle is not decided here.
    for (const link of this.#byUse().slice(0, -1)) if (link.usedMs <= before) this.#end(link)
    if (this.#links.size > 1) this.#cancelSweep = this.#options.clock.after(limits.packetTargetIdleMs, this.#sweep)
  }
}
