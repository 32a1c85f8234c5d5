import type { Conn, ConnInfo, Sink } from '../../core/conn.ts'
import { LayeredInfo } from '../../core/streams/layered-info.ts'
import { prefixed } from '../../core/streams/prefixed.ts'
import { WrappedConn } from '../../core/streams/wrapped.ts'

/** What is behind an upgrade: the bytes of the carrier, first those that came with the answer. */
export class UpgradedConn extends WrappedConn {
  readonly #info: ConnInfo
  readonly #answered: Promise<Uint8Array> | undefined
  #inner: Conn | undefined

  /** `rest` owned; a promise: the answer is still to come, and reading waits for it. `client`: where it is, if it came by a proxy. */
  constructor(base: Conn, rest: Uint8Array | Promise<Uint8Array>, client?: string) {
    super(base)
    this.#info = new LayeredInfo(base.info, 'httpupgrade', base.info.halfClose, undefined, client)
    if (rest instanceof Promise) {
      rest.catch((error: Error) => base.destroy(error))
      this.#answered = rest
    } else this.#inner = prefixed(base, rest)
  }

  override get info(): ConnInfo {
    return this.#info
  }

  async #reader(): Promise<Conn> {
    const rest = await this.#answered!
    this.#inner ??= prefixed(this.base, rest)
    return this.#inner
  }

  read(): Promise<Uint8Array | null> {
    return this.#inner ? this.#inner.read() : this.#reader().then((conn) => conn.read())
  }

  drainTo(sink: Sink): Promise<void> {
    return this.#inner ? this.#inner.drainTo(sink) : this.#reader().then((conn) => conn.drainTo(sink))
  }
}
