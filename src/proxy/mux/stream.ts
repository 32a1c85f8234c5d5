import type { Address } from '../../core/address.ts'
import type { Conn, ConnInfo, Sink } from '../../core/conn.ts'
import type { Cancel } from '../../core/env.ts'
import { ProxyError } from '../../core/errors.ts'
import { Life } from '../../core/lifetime.ts'
import { limits } from '../../core/limits.ts'
import { LayeredInfo } from '../../core/streams/layered-info.ts'
import type { FrameEncoder } from '../../protocol/mux/frame-encoder.ts'
import type { DataUse } from '../../protocol/mux/model.ts'
import { type Carrier, holdDefault, type Substream } from './carrier.ts'
import { Inbox } from './inbox.ts'
import type { Unread } from './intake.ts'

/**
 * A stream inside a carrier. End says that its sender has finished: V2Ray as a server goes on answering after it, and so
 * does ours; whoever has given the session up instead says so with a second End as soon as something comes for it.
 */
export class MuxConn implements Conn, Substream, Unread {
  readonly info: ConnInfo
  readonly encoder: FrameEncoder
  readonly #carrier: Carrier
  readonly #session: number
  readonly #target: Address
  readonly #life = new Life()
  readonly #inbox: Inbox
  #holdsAtMost: number = holdDefault
  #cancelOpening: Cancel | undefined
  /** Why writing is pointless though nobody has destroyed the stream. */
  #unheard: ProxyError | undefined
  #closing: Promise<void> | undefined

  constructor(carrier: Carrier, session: number, encoder: FrameEncoder, target: Address) {
    this.#carrier = carrier
    this.#session = session
    this.#target = target
    this.encoder = encoder
    this.info = new LayeredInfo(carrier.info, 'mux', 'framed', carrier.info.level)
    this.#inbox = new Inbox(
      (bytes) => carrier.intake.changed(this, bytes),
      () => this.#unheard && this.#over(this.#unheard),
    )
    if (!encoder.opened) this.#cancelOpening = carrier.clock.after(limits.firstPayloadWaitMs, () => this.#open())
  }

  get gone(): Error | undefined {
    return this.#life.gone
  }

  onGone(run: (why: Error) => void): Cancel {
    return this.#life.onGone(run)
  }

  get unread(): number {
    return this.#inbox.unread
  }

  get holdsAtMost(): number {
    return this.#holdsAtMost
  }

  read(): Promise<Uint8Array | null> {
    return this.#inbox.read()
  }

  drainTo(sink: Sink): Promise<void> {
    return this.#inbox.drainTo(sink)
  }

  write(bytes: Uint8Array, release?: () => void): void | Promise<void> {
    const refused = this.#life.gone ?? this.#unheard ?? (this.#closing && writtenBehindTheEnd())
    if (refused || bytes.length === 0) {
      release?.()
      return refused ? Promise.reject(refused) : undefined
    }
    this.#cancelOpening?.()
    const wait = this.#carrier.write(this.encoder.room(bytes.length), (into, at) =>
      this.encoder.stream(bytes, into, at),
    )
    release?.()
    return wait && this.#orGone(wait)
  }

  holdAtMost(bytes: number): void {
    this.#holdsAtMost = bytes
    if (!this.#life.gone) this.#carrier.adjustHold()
  }

  closeWrite(): void | Promise<void> {
    this.#closing ??= this.#life.gone || this.#unheard ? Promise.resolve() : this.#end()
    return this.#closing
  }

  /** Settles when End, and all before it, is handed to the carrier or the stream is gone. */
  #end(): Promise<void> {
    return new Promise((resolve) => {
      const cancel = this.#life.onGone(() => resolve())
      this.#sendEnd(false, () => {
        cancel()
        resolve()
      })
      this.#detachIfOver()
    })
  }

  destroy(reason?: Error): void {
    if (this.#life.gone) return
    const quiet = !this.encoder.opened || this.#unheard || (this.encoder.ended && this.#inbox.ended)
    // After our End another one says that nobody is listening either; an error would cost the reader what it has not read.
    if (!quiet) this.#sendEnd(!this.encoder.ended)
    this.#over(reason ?? destroyed)
  }

  keep(): DataUse {
    return this.#inbox.ended ? 'skip' : 'pieces'
  }

  data(lent: Uint8Array): void {
    this.#inbox.put(lent)
  }

  peerEnded(error: boolean): void {
    // Orderly if it comes first; behind an End it means that our bytes go nowhere.
    if (error || this.#inbox.ended) this.#unheard ??= new ProxyError('CONN_RESET', 'the other side gave the stream up')
    if (this.#unheard) this.#carrier.detach(this.#session, this)
    // V2Ray ends every stream with an error that it has waited for after our End, and Xray's answer to End is one, too.
    this.#inbox.end(error && !this.encoder.ended ? this.#unheard : undefined)
    this.#detachIfOver()
  }

  lost(why: ProxyError): void {
    this.#over(why)
  }

  stall(): void {
    const seconds = limits.muxStallMs / 1000
    this.#carrier.noteStall(this.#target)
    this.destroy(new ProxyError('MUX_STALLED', `not read for ${seconds} s while the carrier's other streams waited`))
  }

  #open(): void {
    this.#carrier.write(this.encoder.room(0), (into, at) => this.encoder.open(into, at))?.catch(() => {})
  }

  #sendEnd(error: boolean, done?: () => void): void {
    this.#cancelOpening?.()
    this.#carrier.write(this.encoder.room(0), (into, at) => this.encoder.end(into, at, error), done)?.catch(() => {})
  }

  #detachIfOver(): void {
    if (this.encoder.ended && this.#inbox.ended) this.#carrier.detach(this.#session, this)
  }

  #over(why: Error): void {
    if (this.#life.gone) return
    this.#cancelOpening?.()
    this.#carrier.detach(this.#session, this)
    this.#inbox.fail(why)
    this.#life.end(why)
  }

  /** A writer that waits hears of the stream's end before the carrier has room. */
  #orGone(wait: Promise<void>): Promise<void> {
    return new Promise((resolve, reject) => {
      const cancel = this.#life.onGone(reject)
      wait.then(resolve, reject).finally(cancel)
    })
  }
}

const writtenBehindTheEnd = () => new ProxyError('PROTOCOL_MISUSE', 'write after closeWrite')

/** How most of them end: made once, since an error notes where it was made. */
const destroyed = new ProxyError('CONN_CLOSED', 'the sub-stream was destroyed')
