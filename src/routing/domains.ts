/**
 * All conditions on names of all rules in one table: one walk over the labels of a name, one over its letters, and one
 * search for all expressions say which of them hold.
 */
import { Keywords } from './keywords.ts'
import { RegexpSet } from './regexps.ts'

/** How an entry of the table compares: with the name itself, with that and what is below it, or with what is below it only. */
const How = { full: 0, domain: 1, below: 2 } as const

/** Id of a condition and how it compares, in one number. */
type Entry = number

export class DomainTable {
  readonly #names = new Map<string, Entry | Entry[]>()
  readonly #keywords = new Keywords()
  readonly #regexps = new RegexpSet()
  readonly #always: number[] = []
  /** When each condition was last found to hold. */
  #marks = new Uint32Array(16)
  #turn = 0

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
    const there = this.#names.get(name)
    if (there === undefined) this.#names.set(name, entry)
    else if (typeof there === 'object') {
      if (!there.includes(entry)) there.push(entry)
    } else if (there !== entry) this.#names.set(name, [there, entry])
  }

  /** Looks a name up that is in lower case. What held for the name before is forgotten. */
  match(name: string): void {
    this.#turn++
    const { size } = this.#names
    if (size > 0 && name !== '') {
      this.#found(this.#names.get(name), true)
      for (let dot = name.indexOf('.'); dot >= 0; dot = name.indexOf('.', dot + 1)) {
        this.#found(this.#names.get(name.slice(dot + 1)), false)
      }
    }
    if (this.#keywords.size > 0) this.#keywords.match(name, this.#hit)
    if (this.#regexps.size > 0) this.#regexps.match(name, this.#hit)
    for (const id of this.#always) this.#hit(id)
  }

  /** Whether the condition holds for the name that was looked up last. */
  holds(id: number): boolean {
    return this.#marks[id] === this.#turn
  }

  readonly #hit = (id: number): void => {
    this.#marks[id] = this.#turn
  }

  #found(entries: Entry | readonly Entry[] | undefined, whole: boolean): void {
    if (entries === undefined) return
    if (typeof entries === 'number') this.#apply(entries, whole)
    else for (const entry of entries) this.#apply(entry, whole)
  }

  #apply(entry: Entry, whole: boolean): void {
    const how = entry & 3
    if (whole ? how !== How.below : how !== How.full) this.#marks[entry >>> 2] = this.#turn
  }
}

/** A name as conditions compare it: in lower case, and in its ASCII form. */
export function comparable(name: string): string {
  const lower = name.toLowerCase()
  // biome-ignore lint/suspicious/noControlCharactersInRegex: everything that is not ASCII
  if (!/[^\x00-\x7f]/.test(lower)) return lower
  try {
    return new URL(`http://${lower.replace(/^\.+/, '')}`).hostname.replace(/^/, lower.startsWith('.') ? '.' : '')
  } catch {
    return lower
  }
}
