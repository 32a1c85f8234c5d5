import type { Sink } from '../../core/conn.ts'
import type { Clock } from '../../core/env.ts'
import { ProxyError } from '../../core/errors.ts'
import { limits } from '../../core/limits.ts'
import { lend } from '../../core/streams/lend.ts'
import { takeBuffer } from '../../core/streams/pool.ts'
import { type Deferred, deferred } from '../../core/time/deferred.ts'
import type { KcpSession } from '../../protocol/kcp/session.ts'

/** More than any segment that a datagram brings, bytes. */
const largestSegment = 9 * 1024

/** Whoever reads a connection of mKCP: one at a time, by read() or drainTo(). */
export class KcpReading {
  readonly #session: KcpSession
  readonly #clock: Clock
  readonly #after: () => void
  #sink: Sink | undefined
  #drain: Deferred<void> | undefined
  #reader: Deferred<Uint8Array | null> | undefined
  /** The sink has asked to wait. */
  #busy = false

  /** @param after a sink that had asked to wait goes on */
  constructor(session: KcpSession, clock: Clock, after: () => void) {
    this.#session = session
    this.#clock = clock
    this.#after = after
  }

  read(): Promise<Uint8Array | null> {
    if (this.#reader || this.#drain) return Promise.reject(twoReaders())
    this.#reader = deferred()
    return this.#reader.promise
  }

  drainTo(sink: Sink): Promise<void> {
    if (this.#reader || this.#drain) return Promise.reject(twoReaders())
    this.#sink = sink
    this.#drain = deferred()
    return this.#drain.promise
  }

  /** Hands on what can be read. */
  deliver(): void {
    if (this.#reader && this.#session.readable) {
      const reader = this.#reader
      this.#reader = undefined
      this.#take((bytes) => reader.resolve(new Uint8Array(bytes)))
    }
    while (this.#sink && !this.#busy && this.#session.readable) {
      const sink = this.#sink
      const wait = this.#take((bytes) => lend(bytes, sink))
      if (wait) this.#await(wait)
    }
  }

  #await(wait: Promise<void>): void {
    this.#busy = true
    wait.then(
      () => {
        this.#busy = false
        this.#after()
      },
      (error) => {
        this.#busy = false
        const drain = this.#drain
        this.#sink = this.#drain = undefined
        drain?.reject(error)
      },
    )
  }

  /** Lends what can be read: one segment as it is, several put together. */
  #take<T>(use: (bytes: Uint8Array) => T): T {
    const now = this.#clock.elapsed()
    const first = this.#session.read(now)!
    if (!this.#session.readable) {
      try {
        return use(first.bytes)
      } finally {
        first.release()
      }
    }
    const batch = takeBuffer(limits.kcpBatch)
    let length = 0
    for (let next: typeof first | undefined = first; next; ) {
      batch.bytes.set(next.bytes, length)
      length += next.bytes.length
      next.release()
      next = length + largestSegment <= limits.kcpBatch ? this.#session.read(now) : undefined
    }
    try {
      return use(batch.bytes.subarray(0, length))
    } finally {
      batch.release()
    }
  }

  /** Nothing more will come; whoever still has a batch is waited for. */
  end(): void {
    if (this.#busy) return
    const [reader, drain] = [this.#reader, this.#drain]
    this.#sink = this.#drain = this.#reader = undefined
    reader?.resolve(null)
    drain?.resolve()
  }

  fail(why: Error): void {
    const [reader, drain] = [this.#reader, this.#drain]
    this.#sink = this.#drain = this.#reader = undefined
    reader?.reject(why)
    drain?.reject(why)
  }
}

const twoReaders = (): ProxyError => new ProxyError('PROTOCOL_MISUSE', 'an mKCP connection has one reader at a time')
