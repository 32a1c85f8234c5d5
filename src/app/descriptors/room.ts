import { limits } from '../../core/limits.ts'

/**
 * Arithmetic of the limit of open files. A connection with a client needs a descriptor when it is accepted, and one more
 * when its target is dialled. Both draw on one room; a part of it is kept for either, so that there is always somebody
 * who can be served, and who can come in.
 */
export class Room {
  readonly #limit: number
  readonly #reserve: number
  /** Descriptors of the program itself: as many as were in use when the first client came. */
  #others: number | undefined
  accepted = 0
  dialled = 0

  /** @param limit descriptors that the process may have */
  constructor(limit: number) {
    this.#limit = limit
    this.#reserve = Math.min(limits.fdReserve, Math.floor(limit / 16))
  }

  get limit(): number {
    return this.#limit
  }

  /** A connection was accepted on the descriptor `fd`; -1: unknown. The kernel gives the lowest that is free. */
  enter(fd: number): void {
    this.#others ??= fd < 0 ? limits.fdOthers : fd
    this.accepted++
  }

  /** Whether there is a socket more than may be held, by count or because such a high descriptor was the lowest free one. */
  overfull(fd: number): boolean {
    const unusedDials = Math.max(0, this.#keptForDials() - this.dialled)
    return Math.max(this.#used(), fd + 1 - this.#program()) > this.#total() - unusedDials
  }

  /** Whether a dial needs that somebody else goes. */
  get full(): boolean {
    return this.#used() >= this.#total()
  }

  /** Whether newcomers have plenty of room if a dial takes some. What strangers hold can be had at any time. */
  easy(strangers: number): boolean {
    const total = this.#total()
    return this.#used() - strangers < Math.max(total / 8, total - limits.fdBurst)
  }

  /** Whether a dial may take a descriptor, though there is little room. */
  mayDial(strangers: number): boolean {
    const keptForNewcomers = Math.min(limits.fdBurst, Math.floor(this.#total() / 8))
    return this.dialled < this.#keptForDials() || this.#used() - strangers < this.#total() - keptForNewcomers
  }

  #used(): number {
    return this.accepted + this.dialled
  }

  #program(): number {
    return this.#others ?? limits.fdOthers
  }

  #total(): number {
    return this.#limit - this.#reserve - this.#program()
  }

  #keptForDials(): number {
    return Math.max(1, Math.min(limits.fdBurst, Math.floor(this.#total() / 16)))
  }
}
