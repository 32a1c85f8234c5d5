/** Regular expressions as the peers have them: RE2, which takes time in proportion to the text and not more. */
import { RE2JS, RE2Set } from 're2js'

/** Why an expression cannot be read, with the part that is at fault; undefined when it can. */
export function regexpFault(text: string): string | undefined {
  try {
    RE2JS.compile(text)
    return undefined
  } catch (error) {
    const message = (error as Error).message.replace(/^error parsing regexp: /, '')
    return `this regular expression cannot be read: ${message}`
  }
}

/** Whether an unanchored search hits. @throws Error for what regexpFault() finds */
export function regexpTest(text: string): (subject: string) => boolean {
  const compiled = RE2JS.compile(text)
  return (subject) => compiled.test(subject)
}

/** How many expressions share an automaton: more of them would need more states than it remembers. */
const perSet = 16
/** Memory of an automaton, bytes. */
const setMemory = 1 << 20

/** Many expressions that are searched for together. */
export class RegexpSet {
  readonly #ids: number[] = []
  readonly #texts: string[] = []
  #sets: { readonly set: RE2Set; readonly ids: readonly number[] }[] | undefined

  /** @throws Error for what regexpFault() finds */
  add(text: string, id: number): void {
    this.#ids.push(id)
    this.#texts.push(text)
  }

  get size(): number {
    return this.#ids.length
  }

  /** Calls `hit` with the ids of all that are found in `subject`; an id may come more than once. */
  match(subject: string, hit: (id: number) => void): void {
    this.#sets ??= this.#compiled()
    for (const { set, ids } of this.#sets) for (const at of set.match(subject)) hit(ids[at]!)
  }

  #compiled(): { set: RE2Set; ids: readonly number[] }[] {
    const sets = []
    for (let at = 0; at < this.#ids.length; at += perSet) {
      const set = new RE2Set(RE2Set.UNANCHORED, 0, setMemory)
      for (const text of this.#texts.slice(at, at + perSet)) set.add(text)
      set.compile()
      sets.push({ set, ids: this.#ids.slice(at, at + perSet) })
    }
    return sets
  }
}
