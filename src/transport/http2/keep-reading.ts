import type { Duplex } from 'node:stream'
import type { Clock } from '../../core/env.ts'

/** How long a session may write without reading, ms; at first, and while nothing new is written. */
const patience = { firstMs: 20, mostMs: 320 }

/**
 * Node's HTTP/2 stops reading a connection while a write to it is under way. Two such ends that write more than lies in the
 * buffers between them wait for each other for ever, so reading is begun again when a write takes longer. What comes is
 * bounded by the windows.
 */
export class KeepReading {
  readonly #carrier: Duplex
  readonly #clock: Clock
  readonly #streams: Iterable<Duplex>
  #waitMs = 0

  /** @param carrier what a session has taken over, @param streams those of the session */
  constructor(carrier: Duplex, clock: Clock, streams: Iterable<Duplex>) {
    this.#carrier = carrier
    this.#clock = clock
    this.#streams = streams
    // A stream of JavaScript is stopped by this function alone.
    if (!handleOf(carrier)) {
      carrier.pause = () => carrier
      carrier.resume()
    }
  }

  /** Something was written. */
  wrote(): void {
    const watching = this.#waitMs > 0
    this.#waitMs = patience.firstMs
    if (!watching && handleOf(this.#carrier)) this.#watch()
  }

  #watch(): void {
    const ms = this.#waitMs
    this.#clock.after(ms, () => {
      this.#waitMs = 0
      if (this.#carrier.destroyed || !this.#busy()) return
      handleOf(this.#carrier)?.readStart()
      this.#waitMs = Math.min(ms * 2, patience.mostMs)
      this.#watch()
    })
  }

  #busy(): boolean {
    for (const { writableLength } of this.#streams) if (writableLength > 0) return true
    return false
  }
}

/** Not public in Node, hence looked for before use. */
interface Handle {
  readStart(): void
}

function handleOf(stream: Duplex): Handle | undefined {
  const { _handle: handle } = stream as unknown as { _handle?: Partial<Handle> | null }
  return typeof handle?.readStart === 'function' ? (handle as Handle) : undefined
}
