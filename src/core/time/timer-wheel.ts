import type { Cancel } from '../env.ts'

/** A power of two. With slots of 50 ms all together are 102 s; what waits longer is looked at once per turn. */
const slotCount = 2048

/** One wait, in the list of its slot. */
interface Entry {
  dueMs: number
  run: () => void
  before: Entry
  after: Entry
}

/**
 * Waits that mostly are cancelled: limits of handshakes, dials and silence. They stand in slots by the time at which they
 * are due, and one timer of the system wakes the next slot that holds any, so a wait costs two small objects.
 */
export class TimerWheel {
  readonly #elapsed: () => number
  readonly #wake: (ms: number, run: () => void) => Cancel
  readonly #slotMs: number
  readonly #slots: (Entry | undefined)[] = new Array(slotCount)
  #size = 0
  /** Everything due before this slot has run. */
  #at = 0
  #wakeSlot = Number.POSITIVE_INFINITY
  #cancelWake: Cancel = () => {}

  /**
   * @param elapsed monotonic milliseconds; `wake` is a timer of the system
   * @param slotMs width of a slot: by so much a wait may be longer than asked for. It is never shorter.
   */
  constructor(elapsed: () => number, wake: (ms: number, run: () => void) => Cancel, slotMs = 50) {
    this.#elapsed = elapsed
    this.#wake = wake
    this.#slotMs = slotMs
  }

  /** Waits that are neither over nor cancelled. */
  get size(): number {
    return this.#size
  }

  /** Runs `run` once after `ms`; the returned function cancels it. */
  after(ms: number, run: () => void): Cancel {
    const now = this.#elapsed()
    if (this.#size === 0) this.#at = Math.floor(now / this.#slotMs)
    const dueMs = now + Math.max(0, ms)
    const slot = Math.max(this.#at, Math.ceil(dueMs / this.#slotMs))
    const entry = this.#insert(slot, dueMs, run)
    // A slot of a later turn is met on the way there.
    const next = Math.min(slot, this.#at + slotCount)
    if (next < this.#wakeSlot) this.#wakeAt(next)
    return () => this.#cancel(entry, slot)
  }

  #insert(slot: number, dueMs: number, run: () => void): Entry {
    const entry = { dueMs, run } as Entry
    const first = this.#slots[slot % slotCount]
    if (first) {
      entry.before = first.before
      entry.after = first
      first.before.after = entry
      first.before = entry
    } else {
      entry.before = entry
      entry.after = entry
      this.#slots[slot % slotCount] = entry
    }
    this.#size++
    return entry
  }

  #cancel(entry: Entry, slot: number): void {
    if (entry.run === over) return
    this.#remove(entry, slot)
    if (this.#size > 0) return
    // Nothing must keep the process alive.
    this.#cancelWake()
    this.#wakeSlot = Number.POSITIVE_INFINITY
  }

  #remove(entry: Entry, slot: number): void {
    const index = slot % slotCount
    if (entry.after === entry) this.#slots[index] = undefined
    else {
      if (this.#slots[index] === entry) this.#slots[index] = entry.after
      entry.before.after = entry.after
      entry.after.before = entry.before
    }
    // Whoever still holds the entry to cancel it must not hold what it would have run.
    entry.run = over
    this.#size--
  }

  #wakeAt(slot: number): void {
    this.#cancelWake()
    this.#wakeSlot = slot
    this.#cancelWake = this.#wake(Math.max(1, slot * this.#slotMs - this.#elapsed()), () => this.#turn())
  }

  /** Runs what is due. What runs may wait and cancel. */
  #turn(): void {
    this.#wakeSlot = Number.POSITIVE_INFINITY
    const now = this.#elapsed()
    const until = Math.floor(now / this.#slotMs)
    // After a pause of the process every slot is looked at once.
    const from = Math.max(this.#at, until - slotCount + 1)
    this.#at = until + 1
    for (let slot = from; slot <= until; slot++) {
      for (const entry of this.#due(slot, now)) {
        const { run } = entry
        if (run === over) continue
        this.#remove(entry, slot)
        run()
      }
    }
    const next = this.#nextSlot()
    if (next !== undefined && next < this.#wakeSlot) this.#wakeAt(next)
  }

  #due(slot: number, now: number): Entry[] {
    const due: Entry[] = []
    const first = this.#slots[slot % slotCount]
    for (let entry = first; entry; entry = entry.after === first ? undefined : entry.after) {
      if (entry.dueMs <= now) due.push(entry)
    }
    return due
  }

  /** The next that holds anything, due or not. */
  #nextSlot(): number | undefined {
    if (this.#size === 0) return undefined
    for (let slot = this.#at; slot < this.#at + slotCount; slot++) if (this.#slots[slot % slotCount]) return slot
    return undefined
  }
}

const over = (): void => {}
