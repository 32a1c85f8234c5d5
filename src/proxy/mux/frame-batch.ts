import { type Pooled, takeBuffer } from '../../core/streams/pool.ts'
import { atEndOfTurn } from '../../core/time/turn.ts'

/** Room for what follows a first datagram at once, bytes. */
const batchRoom = 16 * 1024

/** Writes frames into a buffer at an offset, and returns the offset behind them. */
export type Fill = (into: Uint8Array, at: number) => number

/** Frames that are short: those of one turn of the event loop leave a carrier in one write. */
export class FrameBatch {
  readonly #write: (frames: Uint8Array, release: () => void) => void
  #pooled: Pooled | undefined
  #length = 0
  #due = false
  /** Told when what has come together is taken. */
  #told: (() => void)[] = []

  /** @param write gets what has come together; as Conn.write() */
  constructor(write: (frames: Uint8Array, release: () => void) => void) {
    this.#write = write
  }

  /** Lets `fill` write at most `room` bytes of frames; `done` when they are taken, or lost. */
  add(room: number, fill: Fill, done?: () => void): void {
    if (this.#pooled && this.#pooled.bytes.length - this.#length < room) this.flush()
    this.#pooled ??= takeBuffer(this.#due ? Math.max(room, batchRoom) : room)
    this.#length = fill(this.#pooled.bytes, this.#length)
    if (done) this.#told.push(done)
    if (this.#due) return
    this.#due = true
    atEndOfTurn(this.#endTurn)
  }

  /** To be called before anything else is written: that comes behind what was added before. */
  flush(): void {
    const pooled = this.#pooled
    if (!pooled) return
    this.#pooled = undefined
    const frames = pooled.bytes.subarray(0, this.#length)
    this.#length = 0
    this.#write(frames, this.#releaseOf(pooled))
  }

  #releaseOf(pooled: Pooled): () => void {
    const told = this.#told
    if (told.length === 0) return pooled.release
    this.#told = []
    return () => {
      pooled.release()
      for (const done of told.splice(0)) done()
    }
  }

  readonly #endTurn = (): void => {
    this.#due = false
    this.flush()
  }
}
