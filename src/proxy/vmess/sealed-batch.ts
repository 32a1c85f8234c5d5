import type { Conn } from '../../core/conn.ts'
import { type Pooled, takeBuffer } from '../../core/streams/pool.ts'
import { atEndOfTurn } from '../../core/time/turn.ts'
import type { BodySealer } from '../../protocol/vmess/body/body.ts'

/** Room for what follows a first datagram at once, bytes. */
const batchRoom = 16 * 1024

/** What is sealed within one turn of the event loop and leaves in one write, the header in front of all. */
export class SealedBatch {
  readonly #base: Conn
  readonly #sealer: BodySealer
  #head: Uint8Array | undefined
  #pooled: Pooled | undefined
  #length = 0
  #count = 0
  #scheduled = false
  #full = false

  constructor(base: Conn, sealer: BodySealer, head: Uint8Array) {
    this.#base = base
    this.#sealer = sealer
    this.#head = head
  }

  /** The carrier has more than it should hold. */
  get full(): boolean {
    return this.#full
  }

  /** Seals a datagram, which is used up. */
  add(datagram: Uint8Array): void {
    const room = this.#sealer.maxSealed(datagram.length)
    if (this.#pooled && this.#pooled.bytes.length - this.#length < room) this.#flush()
    const pooled = this.#pooled ?? this.#begin(this.#count > 0 ? Math.max(room, batchRoom) : room)
    this.#length = this.#sealer.seal(datagram, pooled.bytes, this.#length)
    this.#count++
    if (this.#scheduled) return
    this.#scheduled = true
    atEndOfTurn(this.#endTurn)
  }

  readonly #endTurn = (): void => {
    this.#scheduled = false
    this.#count = 0
    this.#flush()
  }

  flushHead(): void {
    if (!this.#head) return
    this.#begin(0)
    this.#flush()
  }

  /** Seals the end of the body; settles when it, and all before it, is handed to the carrier or the carrier is gone. */
  async finish(): Promise<void> {
    this.#flush()
    const pooled = this.#begin(this.#sealer.maxSealed(0))
    this.#length = this.#sealer.finish(pooled.bytes, this.#length)
    await new Promise<void>((resolve) => this.#flush(resolve))
    if (!this.#sealer.framed) await this.#base.closeWrite()
  }

  /** Forgets what has not left. */
  drop(): void {
    this.#pooled?.release()
    this.#pooled = undefined
    this.#length = 0
  }

  #begin(room: number): Pooled {
    const head = this.#head
    this.#head = undefined
    this.#pooled = takeBuffer(room + (head?.length ?? 0))
    if (head) this.#pooled.bytes.set(head)
    this.#length = head?.length ?? 0
    return this.#pooled
  }

  #flush(done: () => void = nothing): void {
    const pooled = this.#pooled
    const bytes = pooled?.bytes.subarray(0, this.#length)
    this.#pooled = undefined
    this.#length = 0
    if (!pooled || !bytes?.length) {
      pooled?.release()
      done()
      return
    }
    const wait = this.#base.write(bytes, () => {
      pooled.release()
      done()
    })
    if (!wait) return
    this.#full = true
    // A broken carrier shows where it is read, and in its signal.
    wait.then(() => {
      this.#full = false
    }, nothing)
  }
}

const nothing = (): void => {}
