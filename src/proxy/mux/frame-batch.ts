import { type Pooled, takeBuffer } from '../../core/streams/pool.ts'
import { atEndOfTurn } from '../../core/time/turn.ts'

/** Room for what follows a first datagram at once, bytes. */
const batchRoom = 16 * 1024

/** Frames of datagrams: those of one turn of the event loop leave a carrier in one write. */
export class FrameBatch {
  readonly #write: (frames: Uint8Array, release: () => void) => void
  #pooled: Pooled | undefined
  #length = 0
  #due = false

  /** @param write gets what has come together; as Conn.write() */
  constructor(write: (frames: Uint8Array, release: () => void) => void) {
    this.#write = write
  }

  /** Lets `fill` write at most `room` bytes of frames. */
  add(room: number, fill: (into: Uint8Array) => number): void {
    if (this.#pooled && this.#pooled.bytes.length - this.#length < room) this.flush()
    this.#pooled ??= takeBuffer(this.#due ? Math.max(room, batchRoom) : room)
    this.#length += fill(this.#pooled.bytes.subarray(this.#length))
    if (this.#due) return
    this.#due = true
    atEndOfTurn(this.#endTurn)
  }

  /** To be called before anything else is written: that comes behind the datagrams that were sent before. */
  flush(): void {
    const pooled = this.#pooled
    if (!pooled) return
    this.#pooled = undefined
    const frames = pooled.bytes.subarray(0, this.#length)
    this.#length = 0
    this.#write(frames, pooled.release)
  }

  readonly #endTurn = (): void => {
    this.#due = false
    this.flush()
  }
}
