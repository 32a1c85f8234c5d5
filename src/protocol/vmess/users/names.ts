/** Slots of users by e-mail, letter case aside. Hardly anybody has a namesake, so that almost no name needs a list of its own. */
export class Names {
  readonly #slots = new Map<string, number | Set<number>>()

  /** The slot of the first one with this e-mail, or -1; `''` finds one without. */
  find(email: string): number {
    const known = this.#slots.get(email.toLowerCase())
    if (typeof known === 'object') for (const slot of known) return slot
    return typeof known === 'number' ? known : -1
  }

  add(email: string, slot: number): void {
    const key = email.toLowerCase()
    const known = this.#slots.get(key)
    if (typeof known === 'object') known.add(slot)
    else this.#slots.set(key, known === undefined ? slot : new Set([known, slot]))
  }

  remove(email: string, slot: number): void {
    const key = email.toLowerCase()
    const known = this.#slots.get(key)
    if (known === slot) this.#slots.delete(key)
    if (typeof known !== 'object') return
    known.delete(slot)
    if (known.size === 0) this.#slots.delete(key)
  }
}
