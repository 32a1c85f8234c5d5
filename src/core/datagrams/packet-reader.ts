import type { Address } from '../address.ts'
import { ProxyError } from '../errors.ts'
import { Life } from '../lifetime.ts'
import type { PacketSink } from './packet.ts'

/** The receiving half of a PacketConn, as its owner holds it: who drains, and how that ends. */
export class PacketReader {
  readonly life = new Life()
  #sink: PacketSink | undefined
  #resolve: () => void = () => {}
  #reject: (error: unknown) => void = () => {}
  #ended = false

  /** Whether anybody takes what comes. */
  get reading(): boolean {
    return this.#sink !== undefined
  }

  drainTo(sink: PacketSink): Promise<void> {
    if (this.#sink) return Promise.reject(new ProxyError('PROTOCOL_MISUSE', 'datagrams have one reader at a time'))
    if (this.life.gone) return Promise.reject(this.life.gone)
    if (this.#ended) return Promise.resolve()
    return new Promise((resolve, reject) => {
      this.#sink = sink
      this.#resolve = resolve
      this.#reject = reject
    })
  }

  /** Lends a datagram to whoever drains; false when nobody does. Never throws: what the sink throws ends the drain. */
  deliver(lent: Uint8Array, address: Address): boolean {
    const sink = this.#sink
    if (!sink) return false
    try {
      sink(lent, address)
    } catch (error) {
      this.#sink = undefined
      this.#reject(error)
    }
    return true
  }

  /** Nothing more will come, in order. */
  end(): void {
    this.#ended = true
    if (!this.#sink) return
    this.#sink = undefined
    this.#resolve()
  }

  /** It broke, or was destroyed. Idempotent: the first reason counts. */
  fail(why: Error): void {
    if (this.life.gone) return
    const draining = this.#sink !== undefined
    this.#sink = undefined
    this.life.end(why)
    if (draining) this.#reject(why)
  }
}
