import type { Conn, ConnInfo } from '../../core/conn.ts'
import type { Cancel, Clock } from '../../core/env.ts'
import { ProxyError } from '../../core/errors.ts'
import type { Lifetime } from '../../core/lifetime.ts'
import { limits } from '../../core/limits.ts'
import { type Deferred, deferred } from '../../core/time/deferred.ts'
import { PostQueue } from '../../protocol/xhttp/post-queue.ts'
import { Uplink } from './uplink.ts'

export interface SessionsOptions {
  readonly clock: Clock
  /** Posts of one session that wait to be read. */
  readonly maxPosts: number
  /** Told of connections that carry parts of a session whose client has shown who it is. */
  readonly onAdmitted: (carrier: ConnInfo) => void
}

/**
 * The sessions of an inbound, by their ids. Whichever half comes first makes one; one whose stream downwards does not come is
 * an orphan, kept for a while. The id of one that is over is remembered as long, so that what comes late for it is turned away.
 */
export class Sessions {
  readonly clock: Clock
  readonly maxPosts: number
  readonly onAdmitted: (carrier: ConnInfo) => void
  readonly #all = new Map<string, Session>()
  /** In the order in which they came. */
  readonly #orphans = new Set<Session>()
  /** Both halves of them are there, and their clients have not shown who they are; in the order in which they came. */
  readonly #unknown = new Set<Session>()
  #unknownBytes = 0
  readonly #over = new Map<string, number>()
  #held = 0
  #room: Deferred<void> | undefined

  constructor({ clock, maxPosts, onAdmitted }: SessionsOptions) {
    this.onAdmitted = onAdmitted
    this.clock = clock
    this.maxPosts = maxPosts
  }

  get size(): number {
    return this.#all.size
  }

  /** Bytes of posts that nobody has read. */
  get held(): number {
    return this.#held
  }

  /** Undefined: it is over. */
  of(id: string): Session | undefined {
    const known = this.#all.get(id)
    if (known) return known
    const overAt = this.#over.get(id)
    if (overAt !== undefined && this.clock.elapsed() - overAt < limits.xhttpOrphanMs) return undefined
    const session = new Session(id, this)
    this.#all.set(id, session)
    this.#orphans.add(session)
    this.#bound()
    return session
  }

  connected(session: Session): void {
    this.#orphans.delete(session)
    this.#unknown.add(session)
    this.#unknownBytes += session.held
  }

  admitted(session: Session): void {
    if (this.#unknown.delete(session)) this.#unknownBytes -= session.held
  }

  ended(session: Session): void {
    if (this.#all.get(session.id) !== session) return
    this.#all.delete(session.id)
    this.#orphans.delete(session)
    this.admitted(session)
    this.#over.delete(session.id)
    this.#over.set(session.id, this.clock.elapsed())
    if (this.#over.size > limits.xhttpOrphans) this.#over.delete(this.#over.keys().next().value!)
  }

  /** Bytes came to be held, or were let go of. */
  changed(session: Session, by: number): void {
    this.#held += by
    if (this.#unknown.has(session)) this.#unknownBytes += by
    if (by > 0) this.#bound()
    else this.wake()
  }

  /** Settles when there may be more room. */
  room(): Promise<void> {
    this.#room ??= deferred()
    return this.#room.promise
  }

  /** Whoever waits for room looks again. */
  wake(): void {
    this.#room?.resolve()
    this.#room = undefined
  }

  /** The oldest go of those that nobody knows, when there are too many orphans, or together they hold too much. */
  #bound(): void {
    for (const session of this.#unknown) {
      if (this.#unknownBytes <= limits.xhttpHeldBytes) break
      if (session.held > 0) session.end(new ProxyError('STRANGER_EVICTED', 'newer ones needed its place'))
    }
    let bytes = 0
    for (const orphan of this.#orphans) bytes += orphan.held
    for (const orphan of this.#orphans) {
      if (this.#orphans.size <= limits.xhttpOrphans && bytes <= limits.xhttpOrphanBytes) return
      bytes -= orphan.held
      orphan.end(new ProxyError('STRANGER_EVICTED', 'its other half did not come, and newer ones needed its place'))
    }
  }
}

/** What is to be done with a post: read it, read it and drop it, or neither. */
export type PostPlace = 'kept' | 'repeated' | 'none'

/** One stream both ways, as far as its halves have met. */
export class Session {
  readonly id: string
  readonly uplink: Uplink
  readonly #owner: Sessions
  readonly #posts: PostQueue
  readonly #cancel: Cancel
  #down: Conn | undefined
  #gone: Error | undefined
  /** Bytes that the owner knows of. */
  #counted = 0
  /** Connections that carried a part of it; undefined: its client has shown who it is. */
  #carriers: Set<ConnInfo> | undefined = new Set()
  /** Posts that wait though their client has hung up. */
  #left = 0

  constructor(id: string, owner: Sessions) {
    this.id = id
    this.#owner = owner
    this.#posts = new PostQueue({ maxPosts: owner.maxPosts, maxBytes: limits.xhttpSessionBytes })
    this.uplink = new Uplink(this.#posts, () => this.#count())
    const late = new ProxyError('HANDSHAKE_TIMEOUT', `no stream downwards within ${limits.xhttpOrphanMs / 1000} s`)
    this.#cancel = owner.clock.after(limits.xhttpOrphanMs, () => this.end(late))
  }

  /** Bytes of posts that nobody has read. */
  get held(): number {
    return this.#posts.bytes
  }

  get connected(): boolean {
    return this.#down !== undefined
  }

  /** A part of it comes on this connection. */
  carriedBy(info: ConnInfo): void {
    if (!this.#carriers) this.#owner.onAdmitted(info)
    // One that is not noted is met again with its next post.
    else if (this.#carriers.size < limits.xhttpCarriers) this.#carriers.add(info)
  }

  /** Its client has shown who it is, on all its connections. */
  admit(): void {
    for (const carrier of this.#carriers ?? []) this.#owner.onAdmitted(carrier)
    this.#carriers = undefined
    this.#owner.admitted(this)
  }

  /** Its stream downwards is there; the session ends with it. */
  connect(down: Conn): void {
    this.#down = down
    this.#cancel()
    this.#owner.connected(this)
    down.onGone((why) => this.end(why))
  }

  /**
   * Waits until there is a place for a post of so many bytes. `on`: what it came on. Xray's client may drop its connection as
   * soon as a post is out, and that one counts all the same; but not many such posts may wait.
   */
  async place(seq: number, bytes: number, on: Lifetime): Promise<PostPlace> {
    let left = false
    const leave = on.onGone(() => {
      left = true
      this.#left++
      this.#owner.wake()
    })
    try {
      for (;;) {
        if (this.#gone || this.uplink.streamed) return 'none'
        if (this.#posts.repeated(seq)) return 'repeated'
        const room = this.#posts.due(seq) || this.#owner.held + bytes <= limits.xhttpHeldBytes
        if (room && this.#posts.reserve(seq, bytes)) {
          this.#count()
          return 'kept'
        }
        if (left && this.#left > this.#owner.maxPosts) return 'none'
        await this.#owner.room()
      }
    } finally {
      leave()
      if (left) this.#left--
    }
  }

  /** Settles a place that was kept; undefined: the post broke off. Takes ownership of `bytes`. False: the session is over. */
  settle(seq: number, bytes: Uint8Array | undefined): boolean {
    this.#posts.settle(seq, bytes)
    this.#count()
    this.#owner.wake()
    if (this.#gone || this.uplink.streamed) return false
    if (bytes) this.uplink.arrived()
    return true
  }

  /** Over, for whoever reads and for both streams. */
  end(why: Error): void {
    if (this.#gone) return
    this.#gone = why
    this.#cancel()
    this.#posts.clear()
    this.#count()
    this.#owner.ended(this)
    this.uplink.end(why)
    this.#down?.destroy(why)
  }

  #count(): void {
    const by = this.#posts.bytes - this.#counted
    this.#counted = this.#posts.bytes
    this.#owner.changed(this, by)
  }
}
