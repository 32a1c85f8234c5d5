/** Slots in a segment. */
const perSegment = 1_024

/** The memory of one segment, which can be sent to other threads. */
export interface Segment {
  readonly number: number
  readonly memory: SharedArrayBuffer
}

/**
 * Doubles that threads share, in slots of one size: each cell is written by one thread and read by all. Memory is added as it is
 * needed, by one thread, which tells the others.
 */
export class Slots {
  readonly #stride: number
  readonly #views: Float64Array[] = []
  readonly #added: (segment: Segment) => void
  #used = 0
  readonly #free: number[] = []

  /** @param stride doubles in a slot  @param added told of each segment before a slot of it is given */
  constructor(stride: number, added: (segment: Segment) => void = () => {}) {
    this.#stride = stride
    this.#added = added
  }

  get segments(): Segment[] {
    return this.#views.map(({ buffer }, number) => ({ number, memory: buffer as unknown as SharedArrayBuffer }))
  }

  /** Takes in a segment that another thread has added. */
  know({ number, memory }: Segment): void {
    this.#views[number] = new Float64Array(memory)
  }

  /** A slot that nobody has, with zeros. */
  take(): number {
    const again = this.#free.pop()
    const slot = again ?? this.#used++
    if (slot >= this.#views.length * perSegment) {
      const memory = new SharedArrayBuffer(perSegment * this.#stride * 8)
      const segment = { number: this.#views.length, memory }
      this.know(segment)
      this.#added(segment)
    }
    if (again !== undefined) this.viewOf(slot).fill(0)
    return slot
  }

  /** Nobody writes there any more. */
  giveBack(slot: number): void {
    this.#free.push(slot)
  }

  /** The cells of a slot. */
  viewOf(slot: number): Float64Array {
    const view = this.#views[Math.floor(slot / perSegment)]!
    const at = (slot % perSegment) * this.#stride
    return view.subarray(at, at + this.#stride)
  }
}
