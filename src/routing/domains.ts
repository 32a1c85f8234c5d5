/**
 * All conditions on names of all rules in one table: one walk over the labels of a name, one over its letters, and one
 * search for all expressions say which of them hold.
 */
import { Keywords } from './keywords.ts'
import { NameTable } from './name-table.ts'
import { RegexpSet } from './regexps.ts'

/** How an entry of the table compares: with the name itself, with that and what is below it, or with what is below it only. */
const How = { full: 0, domain: 1, below: 2 } as const

/** Id of a condition and how it compares, in one number. */
type Entry = number

export class DomainTable {
  /** For each name an entry, or (below -1) where its entries are among the shared ones. */
  readonly #names = new NameTable()
  readonly #shared: Entry[][] = []
  readonly #keywords = new Keywords()
  readonly #regexps = new RegexpSet()
  readonly #always: number[] = []
  /** When each condition was last found to hold. */
  #marks = new Uint32Array(16)
  #turn = 0
  #any = false

  /** A condition that compares names with `value`, which is in lower case unless it is an expression. */
  add(kind: 'keyword' | 'domain' | 'full' | 'regexp', value: string, id: number): void {
    if (id >= this.#marks.length) {
      const marks = new Uint32Array(Math.max(id + 1, this.#marks.length * 2))
      marks.set(this.#marks)
      this.#marks = marks
    }
    if (kind === 'regexp') this.#regexps.add(value, id)
    else if (kind === 'keyword') {
      if (value === '') this.#always.push(id)
      else this.#keywords.add(value, id)
    } else if (kind === 'full') this.#enter(value, id * 4 + How.full)
    else if (value.startsWith('.')) this.#enter(value.slice(1), id * 4 + How.below)
    else this.#enter(value, id * 4 + How.domain)
  }

  #enter(name: string, entry: Entry): void {
    const at = this.#names.add(name)
    const there = this.#names.value(at)
    if (there === -1) this.#names.set(at, entry)
    else if (there >= 0) {
      if (there === entry) return
      this.#shared.push([there, entry])
      this.#names.set(at, -1 - this.#shared.length)
    } else {
      const entries = this.#shared[-2 - there]!
      if (!entries.includes(entry)) entries.push(entry)
    }
  }

  /** Looks a name up that is in lower case; whether any condition holds. What held for the name before is forgotten. */
  match(name: string): boolean {
    this.#turn++
    this.#any = false
    if (this.#names.size > 0 && name !== '') this.#names.endings(name, this.#found)
    if (this.#keywords.size > 0) this.#keywords.match(name, this.#hit)
    if (this.#regexps.size > 0) this.#regexps.match(name, this.#hit)
    for (const id of this.#always) this.#hit(id)
    return this.#any
  }

  /** Whether the condition holds for the name that was looked up last. */
  holds(id: number): boolean {
    return this.#marks[id] === this.#turn
  }

  readonly #hit = (id: number): void => {
    this.#any = true
    this.#marks[id] = this.#turn
  }

  readonly #found = (value: number, whole: boolean): void => {
    if (value >= 0) this.#apply(value, whole)
    else for (const entry of this.#shared[-2 - value]!) this.#apply(entry, whole)
  }

  #apply(entry: Entry, whole: boolean): void {
    const how = entry & 3
    if (whole ? how !== How.below : how !== How.full) this.#hit(entry >>> 2)
  }
}

/** A name as conditions compare it: in lower case, and in its ASCII form. */
export function comparable(name: string): string {
  if (!/[A-Z\u0080-\uffff]/.test(name)) return name
  const lower = name.toLowerCase()
  if (!/[\u0080-\uffff]/.test(lower)) return lower
  try {
    return new URL(`http://${lower.replace(/^\.+/, '')}`).hostname.replace(/^/, lower.startsWith('.') ? '.' : '')
  } catch {
    return lower
  }
}
