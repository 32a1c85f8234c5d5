/** Regular expressions as the peers have them: RE2, which takes time in proportion to the text and not more. */
import { RE2JS, RE2Set } from 're2js'
import { Keywords } from './keywords.ts'
import { requiredText } from './required-text.ts'

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

interface Expression {
  readonly id: number
  readonly text: string
}

/**
 * Many expressions that are searched for together. Most hold a text that must be in whatever they match: these are looked
 * at only where their text is found, and all texts are looked for in one pass.
 */
export class RegexpSet {
  readonly #literals = new Keywords()
  readonly #filtered: (Expression & { test: ((subject: string) => boolean) | undefined; turn: number })[] = []
  readonly #others: Expression[] = []
  #sets: { readonly set: RE2Set; readonly ids: readonly number[] }[] | undefined
  #turn = 0

  /** An expression that regexpFault() finds nothing wrong with. */
  add(text: string, id: number): void {
    const literal = requiredText(text)
    if (literal === undefined) {
      this.#others.push({ text, id })
      this.#sets = undefined
    } else {
      this.#literals.add(literal, this.#filtered.length)
      this.#filtered.push({ text, id, test: undefined, turn: 0 })
    }
  }

  get size(): number {
    return this.#others.length + this.#filtered.length
  }

  /** Calls `hit` with the ids of all that are found in `subject`; an id may come more than once. */
  match(subject: string, hit: (id: number) => void): void {
    this.#turn++
    if (this.#filtered.length > 0) this.#literals.match(subject, (at) => this.#try(at, subject, hit))
    if (this.#others.length === 0) return
    this.#sets ??= this.#compiled()
    for (const { set, ids } of this.#sets) for (const at of set.match(subject)) hit(ids[at]!)
  }

  #try(at: number, subject: string, hit: (id: number) => void): void {
    const expression = this.#filtered[at]!
    if (expression.turn === this.#turn) return
    expression.turn = this.#turn
    expression.test ??= regexpTest(expression.text)
    if (expression.test(subject)) hit(expression.id)
  }

  #compiled(): { set: RE2Set; ids: readonly number[] }[] {
    const sets = []
    for (let at = 0; at < this.#others.length; at += perSet) {
      const some = this.#others.slice(at, at + perSet)
      const set = new RE2Set(RE2Set.UNANCHORED, 0, setMemory)
      for (const { text } of some) set.add(text)
      set.compile()
      sets.push({ set, ids: some.map(({ id }) => id) })
    }
    return sets
  }
}
