/** How much may be under way at once, in the manner of V2Ray: the window of the settings, twenty times over. */
const factor = 20
const leastWindow = 16

/** Less when much is lost, more when little is. Without congestion control: always the same. */
export class Congestion {
  readonly #full: number
  readonly #active: boolean
  #window: number
  #sent = 0
  #again = 0

  constructor(window: number, active: boolean) {
    this.#full = window
    this.#active = active
    this.#window = window
  }

  /** Segments that may be under way. */
  get most(): number {
    return (this.#active ? this.#window : this.#full) * factor
  }

  /** A segment is sent, for the first time or again. */
  count(again: boolean): void {
    this.#sent++
    if (again) this.#again++
  }

  /** Once per interval. */
  adjust(): void {
    if (this.#sent === 0) return
    const lost = (this.#again * 100) / this.#sent
    this.#sent = this.#again = 0
    if (lost >= 15) this.#window = Math.floor((3 * this.#window) / 4)
    else if (lost <= 5) this.#window += Math.floor(this.#window / 4)
    this.#window = Math.min(Math.max(this.#window, leastWindow), 2 * this.#full)
  }
}
