/** AES-128-CFB around a whole body, size fields and padding included (security aes-128-cfb). */
import type { CfbStream } from '../../../crypto/cfb.ts'
import type { BodyOpener, BodySealer } from './body-model.ts'

export class CfbSealer implements BodySealer {
  readonly #inner: BodySealer
  readonly #cfb: CfbStream

  constructor(inner: BodySealer, cfb: CfbStream) {
    this.#inner = inner
    this.#cfb = cfb
  }

  get framed(): boolean {
    return this.#inner.framed
  }

  maxSealed(plain: number): number {
    return this.#inner.maxSealed(plain)
  }

  seal(plain: Uint8Array, into: Uint8Array, at: number): number {
    return this.#encrypt(into, at, this.#inner.seal(plain, into, at))
  }

  finish(into: Uint8Array, at: number): number {
    return this.#encrypt(into, at, this.#inner.finish(into, at))
  }

  #encrypt(into: Uint8Array, from: number, to: number): number {
    if (to > from) this.#cfb.update(into.subarray(from, to), into, from)
    return to
  }
}

export class CfbOpener implements BodyOpener {
  readonly #inner: BodyOpener
  readonly #cfb: CfbStream

  /** @param inner must bear a batch that lies in `into` at room(0) */
  constructor(inner: BodyOpener, cfb: CfbStream) {
    this.#inner = inner
    this.#cfb = cfb
  }

  get ended(): boolean {
    return this.#inner.ended
  }

  room(batch: number): number {
    return this.#inner.room(batch)
  }

  open(batch: Uint8Array, into: Uint8Array): number {
    // Decrypted where it is then opened in place: behind as many bytes as are held already, so that no payload overtakes it.
    const at = this.#inner.room(0)
    this.#cfb.update(batch, into, at)
    return this.#inner.open(into.subarray(at, at + batch.length), into)
  }

  end(): void {
    this.#inner.end()
  }
}
