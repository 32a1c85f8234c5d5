import type { Conn, ConnInfo, Sink } from '../../core/conn.ts'
import { ProxyError } from '../../core/errors.ts'
import { limits } from '../../core/limits.ts'
import { LayeredInfo } from '../../core/streams/layered-info.ts'
import { takeBuffer } from '../../core/streams/pool.ts'
import { WrappedConn } from '../../core/streams/wrapped.ts'
import { HeadEnd } from './head-end.ts'

export interface DisguisedConnOptions {
  /** Leaves in one write with the first bytes: V2Ray wants a response's whole in its first read. Owned. */
  readonly head: Uint8Array
  /** Whether the peer's head is still to come, and is dropped: its status means nothing. */
  readonly awaitsHead: boolean
  /** What is said on destroy() if nothing was said before. */
  readonly lastWord?: () => Uint8Array
}

/** A stream of which each direction begins with a head of HTTP. */
export class DisguisedConn extends WrappedConn {
  readonly #info: ConnInfo
  #head: Uint8Array | undefined
  #end: HeadEnd | undefined
  #skipped = 0
  readonly #lastWord: (() => Uint8Array) | undefined

  constructor(base: Conn, { head, awaitsHead, lastWord }: DisguisedConnOptions) {
    super(base)
    this.#info = new LayeredInfo(base.info, 'http-header', base.info.halfClose)
    this.#head = head
    this.#end = awaitsHead ? new HeadEnd() : undefined
    this.#lastWord = lastWord
  }

  override get info(): ConnInfo {
    return this.#info
  }

  async read(): Promise<Uint8Array | null> {
    for (;;) {
      const bytes = await this.base.read()
      const rest = bytes && this.#withoutHead(bytes)
      if (rest === null || rest.length > 0) return rest
    }
  }

  drainTo(sink: Sink): Promise<void> {
    return this.base.drainTo((lent) => {
      const rest = this.#withoutHead(lent)
      if (rest.length > 0) return sink(rest)
    })
  }

  /** Throws HTTP_BAD_RESPONSE when the head has no end. */
  #withoutHead(bytes: Uint8Array): Uint8Array {
    if (!this.#end) return bytes
    const length = this.#end.push(bytes)
    this.#skipped += length ?? bytes.length
    if (this.#skipped > limits.disguiseHeadMax) {
      const what = `no end of its HTTP header within ${limits.disguiseHeadMax} bytes`
      throw new ProxyError('HTTP_BAD_RESPONSE', `the server sent ${what}`, {
        hint: 'has the server the http header too?',
      })
    }
    if (length === undefined) return bytes.subarray(bytes.length)
    this.#end = undefined
    return bytes.subarray(length)
  }

  override write(bytes: Uint8Array, release?: () => void): void | Promise<void> {
    const head = this.#takeHead()
    if (!head) return this.base.write(bytes, release)
    const pooled = takeBuffer(head.length + bytes.length)
    pooled.bytes.set(head)
    pooled.bytes.set(bytes, head.length)
    release?.()
    return this.base.write(pooled.bytes.subarray(0, head.length + bytes.length), pooled.release)
  }

  #takeHead(): Uint8Array | undefined {
    const head = this.#head
    this.#head = undefined
    return head
  }

  override closeWrite(): void | Promise<void> {
    const head = this.gone ? undefined : this.#takeHead()
    if (head) this.base.write(head, () => {})?.catch(() => {})
    return this.base.closeWrite()
  }

  override destroy(reason?: Error): void {
    if (this.#takeHead() && this.#lastWord && !this.gone) this.base.write(this.#lastWord(), () => {})?.catch(() => {})
    this.base.destroy(reason)
  }
}
