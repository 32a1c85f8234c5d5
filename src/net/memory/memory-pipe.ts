import { ProxyError } from '../../core/errors.ts'
import { Life } from '../../core/lifetime.ts'

const endedInOrder = new ProxyError('CONN_CLOSED', 'the other end of the memory pair has ended its half')

export interface Batch {
  readonly bytes: Uint8Array
  /** Set when the bytes belong to the writer. */
  readonly release: (() => void) | undefined
}

interface Waiter {
  resolve(): void
  reject(error: Error): void
}

/** One direction of a memory pair. Holds batches until the reader takes them; knows nothing of who reads and who writes. */
export class Pipe {
  #highWater: number
  readonly #batches: Batch[] = []
  #bytes = 0
  #writers: Waiter[] = []
  /** Called when there may be something to read: a batch, the end or an error. */
  wake: () => void = () => {}
  /** Over when the writer has ended it in order. */
  readonly life = new Life()
  error: Error | undefined

  constructor(highWater: number) {
    this.#highWater = highWater
  }

  get ended(): boolean {
    return this.life.gone !== undefined
  }

  put(bytes: Uint8Array, release: (() => void) | undefined): void | Promise<void> {
    this.#batches.push({ bytes: release ? bytes : copyOf(bytes), release })
    this.#bytes += bytes.length
    this.wake()
    if (this.#bytes <= this.#highWater) return
    return new Promise((resolve, reject) => this.#writers.push({ resolve, reject }))
  }

  /** See Conn.holdAtMost(). */
  holdAtMost(bytes: number): void {
    this.#highWater = bytes
    this.#wakeWriters()
  }

  #wakeWriters(): void {
    if (this.#bytes <= this.#highWater) for (const writer of this.#writers.splice(0)) writer.resolve()
  }

  take(): Batch | undefined {
    const batch = this.#batches.shift()
    if (!batch) return undefined
    this.#bytes -= batch.bytes.length
    this.#wakeWriters()
    return batch
  }

  end(): void {
    this.life.end(endedInOrder)
    this.wake()
  }

  /** Drops everything that is under way. */
  fail(error: Error): void {
    if (this.error) return
    this.error = error
    for (const batch of this.#batches.splice(0)) batch.release?.()
    this.#bytes = 0
    this.failWriters(error)
    this.wake()
  }

  failWriters(error: Error): void {
    for (const writer of this.#writers.splice(0)) writer.reject(error)
  }

  /** Gives the writer's buffers back, and keeps copies for the reader. */
  detach(): void {
    for (const [i, batch] of this.#batches.entries()) {
      this.#batches[i] = { bytes: copyOf(batch.bytes), release: undefined }
      batch.release?.()
    }
  }
}

/** Not `slice()`: that of a Buffer, which is a Uint8Array too, copies nothing. */
export const copyOf = (bytes: Uint8Array): Uint8Array => new Uint8Array(bytes)
