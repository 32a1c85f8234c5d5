import type { Conn, ConnInfo, Sink } from '../../core/conn.ts'
import type { Cancel, Clock } from '../../core/env.ts'
import { ProxyError } from '../../core/errors.ts'
import { LayeredInfo } from '../../core/streams/layered-info.ts'
import { lend } from '../../core/streams/lend.ts'
import { takeBuffer } from '../../core/streams/pool.ts'
import { WrappedConn } from '../../core/streams/wrapped.ts'
import type { BodyOpener, BodySealer } from '../../protocol/vmess/body/body.ts'

export interface VmessConnOptions {
  readonly sealer: BodySealer
  readonly opener: BodyOpener
  /** Our header: leaves in one write with the first payload, or after flushHeadAfter(). Owned. */
  readonly head: Uint8Array
  /** Bytes of the peer's body that came with its header. Owned. */
  readonly rest?: Uint8Array
  readonly level?: number
  /** Gives an error of the base its meaning; the error itself where it has no other. */
  readonly explain?: (error: Error) => Error
}

/**
 * A VMess stream over any Conn, the same for both ends: what is written is sealed into a pooled buffer, what is read is
 * opened into one, and both are lent on. Nothing is held while the connection is idle.
 */
export class VmessConn extends WrappedConn {
  readonly #info: ConnInfo
  readonly #explain: ((error: Error) => Error) | undefined
  readonly #sealer: BodySealer
  readonly #opener: BodyOpener
  #head: Uint8Array | undefined
  #rest: Uint8Array | undefined
  #closing: Promise<void> | undefined
  #destroyed = false
  #sent = 0
  #gone: Error | undefined
  #cancelFlush: Cancel | undefined

  constructor(base: Conn, options: VmessConnOptions) {
    super(base)
    this.#explain = options.explain
    this.#sealer = options.sealer
    this.#opener = options.opener
    this.#head = options.head
    this.#rest = options.rest?.length ? options.rest : undefined
    const halfClose = options.sealer.framed ? 'framed' : base.info.halfClose
    this.#info = new LayeredInfo(base.info, 'vmess', halfClose, options.level)
  }

  override get gone(): Error | undefined {
    const why = this.base.gone
    if (why) this.#gone ??= this.#meaning(why)
    return this.#gone
  }

  override onGone(run: (why: Error) => void): Cancel {
    return this.#explain ? this.base.onGone(() => run(this.gone!)) : this.base.onGone(run)
  }

  /** What its reader knows counts as well: the terminator comes inside the stream. */
  override onEnded(run: () => void): Cancel {
    if (!this.#opener.ended) return super.onEnded(run)
    run()
    return () => {}
  }

  #meaning(error: Error): Error {
    return this.#explain?.(error) ?? error
  }

  override get info(): ConnInfo {
    return this.#info
  }

  async read(): Promise<Uint8Array | null> {
    while (!this.#opener.ended) {
      const sealed = this.#takeRest() ?? (await this.#readBase())
      if (sealed === null) {
        this.#opener.end()
        return null
      }
      let opened: Uint8Array | undefined
      this.#open(sealed, (lent) => {
        opened = lent.slice()
      })
      if (opened) return opened
    }
    return null
  }

  async #readBase(): Promise<Uint8Array | null> {
    try {
      return await this.base.read()
    } catch (error) {
      throw this.#meaning(error as Error)
    }
  }

  drainTo(sink: Sink): Promise<void> {
    const rest = this.#takeRest()
    const wait = rest && lend(rest, (sealed) => this.#open(sealed, sink))
    return wait ? wait.then(() => this.#drainBase(sink)) : this.#drainBase(sink)
  }

  #drainBase(sink: Sink): Promise<void> {
    if (this.#opener.ended) return Promise.resolve()
    return new Promise((resolve, reject) => {
      this.base
        .drainTo((sealed) => {
          // Behind the terminator nothing counts, but the carrier is still watched: its end is the connection's.
          if (this.#opener.ended) return
          const wait = this.#open(sealed, sink)
          if (!this.#opener.ended) return wait
          if (!wait) return resolve()
          return wait.then(resolve)
        })
        .then(
          () => this.#settle(resolve, reject),
          (error: Error) => reject(this.#meaning(error)),
        )
    })
  }

  /** The carrier has ended. */
  #settle(resolve: () => void, reject: (why: Error) => void): void {
    try {
      if (!this.#opener.ended) this.#opener.end()
      resolve()
    } catch (error) {
      reject(this.#meaning(error as Error))
    }
  }

  #open(sealed: Uint8Array, sink: Sink): void | Promise<void> {
    const pooled = takeBuffer(this.#opener.room(sealed.length))
    let length = 0
    try {
      length = this.#opener.open(sealed, pooled.bytes)
    } finally {
      if (length === 0) pooled.release()
    }
    if (length > 0) return pooled.lend(length, sink)
  }

  #takeRest(): Uint8Array | undefined {
    const rest = this.#rest
    this.#rest = undefined
    return rest
  }

  override write(bytes: Uint8Array, release?: () => void): void | Promise<void> {
    if (this.#closing) {
      release?.()
      return Promise.reject(new ProxyError('PROTOCOL_MISUSE', 'write after closeWrite'))
    }
    this.#sent += bytes.length
    const headLength = this.#head?.length ?? 0
    const pooled = takeBuffer(headLength + this.#sealer.maxSealed(bytes.length))
    let end: number
    try {
      end = this.#sealer.seal(bytes, pooled.bytes, this.#placeHead(pooled.bytes))
    } catch (error) {
      pooled.release()
      return Promise.reject(error)
    } finally {
      release?.()
    }
    return this.base.write(pooled.bytes.subarray(0, end), pooled.release)
  }

  /** Sends the header alone, if no payload has taken it along after `ms`. */
  flushHeadAfter(ms: number, clock: Clock): void {
    this.#cancelFlush = clock.after(ms, () => this.flushHead())
  }

  /** Sends the header now, if no payload has taken it along. */
  flushHead(): void {
    const head = this.#takeHead()
    if (head) this.base.write(head, () => {})?.catch(() => {}) // a broken base shows where it is read
  }

  #placeHead(into: Uint8Array): number {
    const head = this.#takeHead()
    if (!head) return 0
    into.set(head)
    return head.length
  }

  #takeHead(): Uint8Array | undefined {
    const head = this.#head
    this.#head = undefined
    this.#cancelFlush?.()
    this.#cancelFlush = undefined
    return head
  }

  override closeWrite(): Promise<void> {
    this.#closing ??= this.#end()
    return this.#closing
  }

  #end(): Promise<void> {
    const pooled = takeBuffer((this.#head?.length ?? 0) + this.#sealer.maxSealed(0))
    const end = this.#sealer.finish(pooled.bytes, this.#placeHead(pooled.bytes))
    const flushed = end > 0 ? this.#flush(pooled.bytes.subarray(0, end), pooled.release) : Promise.resolve()
    if (end === 0) pooled.release()
    // Without a terminator of its own the stream's end is the carrier's; with one the carrier stays as it is, because
    // several peers drop the other direction on a half-closed transport.
    return this.#sealer.framed ? flushed : flushed.then(() => this.base.closeWrite())
  }

  /** Settles when the bytes, and all before them, are handed to the carrier or the carrier is gone. */
  #flush(bytes: Uint8Array, release: () => void): Promise<void> {
    return new Promise((resolve) => {
      this.base
        .write(bytes, () => {
          release()
          resolve()
        })
        ?.catch(() => {})
    })
  }

  /** Bytes of payload that were written. */
  get sent(): number {
    return this.#sent
  }

  /** Whether our own side has destroyed it. Where it is gone without that, the peer or the network was it. */
  get destroyed(): boolean {
    return this.#destroyed
  }

  override destroy(reason?: Error): void {
    this.#destroyed = true
    this.#takeHead()
    this.base.destroy(reason)
  }
}
