import { type Counter, Counters } from '../../../stats/counters.ts'

/** A counter of the main thread with the parts that workers count, each in a cell of its own. */
export class SummedCounter implements Counter {
  #own = 0
  readonly #parts = new Map<number, Float64Array[]>()

  get value(): number {
    let all = this.#own
    for (const cells of this.#parts.values()) for (const cell of cells) all += cell[0]!
    return all
  }

  set value(value: number) {
    this.#own += value - this.value
  }

  add(bytes: number): void {
    this.#own += bytes
  }

  take(): number {
    const { value } = this
    this.#own -= value
    return value
  }

  join(worker: number, cell: Float64Array): void {
    const cells = this.#parts.get(worker)
    if (cells) cells.push(cell)
    else this.#parts.set(worker, [cell])
  }

  /** Not counted there any more. */
  part(worker: number, cell: Float64Array): void {
    const cells = this.#parts.get(worker) ?? []
    const others = cells.filter(({ buffer, byteOffset }) => buffer !== cell.buffer || byteOffset !== cell.byteOffset)
    this.#parts.set(worker, others)
  }

  /** The worker has ended; what it counted stays. */
  settle(worker: number): void {
    for (const cell of this.#parts.get(worker) ?? []) this.#own += cell[0]!
    this.#parts.delete(worker)
  }
}

/** Of a worker. */
type Cell = [worker: number, cell: Float64Array]

/** Counters of a server with workers. */
export class SummedCounters extends Counters {
  /** What became of handshakes and sessions in workers, by name. */
  readonly tallies = new Map<string, SummedCounter>()
  readonly #forgotten: (email: string) => void

  constructor(forgotten: (email: string) => void) {
    super(() => new SummedCounter())
    this.#forgotten = forgotten
  }

  override forget(...[owner, name]: Parameters<Counters['forget']>): void {
    super.forget(owner, name)
    this.#forgotten(name)
  }

  /** @param name one that begins with a zero byte is a tally */
  join(name: string, worker: number, cell: Float64Array): void {
    const counter = name.startsWith('\0') ? this.#tally(name) : (this.of(name) as SummedCounter)
    counter.join(worker, cell)
  }

  said({ type, name }: { readonly type: 'counter' | 'uncounted'; readonly name: string }, ...of: Cell): void {
    if (type === 'counter') this.join(name, ...of)
    else this.part(name, ...of)
  }

  part(name: string, worker: number, cell: Float64Array): void {
    const counter = this.get(name) as SummedCounter | undefined
    counter?.part(worker, cell)
  }

  /** This worker has ended. */
  settle(worker: number): void {
    for (const [, counter] of this) (counter as SummedCounter).settle(worker)
    for (const tally of this.tallies.values()) tally.settle(worker)
  }

  #tally(name: string): SummedCounter {
    const known = this.tallies.get(name) ?? new SummedCounter()
    this.tallies.set(name, known)
    return known
  }
}
