/** Finds all of many words in a text in one pass over it (Aho and Corasick, 1975). */
export class Keywords {
  readonly #words: { readonly word: string; readonly id: number }[] = []
  #automaton: Automaton | undefined

  add(word: string, id: number): void {
    this.#words.push({ word, id })
    this.#automaton = undefined
  }

  get size(): number {
    return this.#words.length
  }

  /** Calls `hit` with the ids of the words that are in `text`; an id may come more than once. */
  match(text: string, hit: (id: number) => void): void {
    this.#automaton ??= build(this.#words)
    const { next, width, ascii, classes, found } = this.#automaton
    let state = 0
    for (let i = 0; i < text.length; i++) {
      const unit = text.charCodeAt(i)
      state = next[state * width + (unit < 128 ? ascii[unit]! : (classes.get(unit) ?? 0))]!
      const ids = found[state]
      if (ids) for (const id of ids) hit(id)
    }
  }
}

interface Automaton {
  /** State × class → state. */
  readonly next: Int32Array
  readonly width: number
  /** Code units that occur in words, from 1 on. */
  readonly classes: ReadonlyMap<number, number>
  /** The same for those below 128. */
  readonly ascii: Uint16Array
  readonly found: readonly (readonly number[] | undefined)[]
}

function build(words: readonly { readonly word: string; readonly id: number }[]): Automaton {
  const classes = new Map<number, number>()
  for (const { word } of words) {
    for (let i = 0; i < word.length; i++) {
      const unit = word.charCodeAt(i)
      if (!classes.has(unit)) classes.set(unit, classes.size + 1)
    }
  }
  const width = classes.size + 1
  const ascii = Uint16Array.from({ length: 128 }, (_, unit) => classes.get(unit) ?? 0)
  const states = words.reduce((sum, { word }) => sum + word.length, 1)
  const next = new Int32Array(states * width)
  const found: (number[] | undefined)[] = [undefined]
  let last = 0
  for (const { word, id } of words) {
    let state = 0
    for (let i = 0; i < word.length; i++) {
      const at = state * width + classes.get(word.charCodeAt(i))!
      if (next[at] === 0) {
        next[at] = ++last
        found.push(undefined)
      }
      state = next[at]!
    }
    found[state] = [...(found[state] ?? []), id]
  }
  link(next, width, found, last + 1)
  return { next: next.slice(0, (last + 1) * width), width, classes, ascii, found }
}

/** Fills in where each state goes on when no word goes on there. */
function link(next: Int32Array, width: number, found: (number[] | undefined)[], states: number): void {
  const fails = new Int32Array(states)
  const queue: number[] = []
  for (let c = 1; c < width; c++) if (next[c] !== 0) queue.push(next[c]!)
  for (const state of queue) {
    const fail = fails[state]!
    const inherited = found[fail]
    if (inherited) found[state] = [...(found[state] ?? []), ...inherited]
    for (let c = 1; c < width; c++) {
      const at = state * width + c
      const child = next[at]!
      if (child === 0) next[at] = next[fail * width + c]!
      else {
        fails[child] = next[fail * width + c]!
        queue.push(child)
      }
    }
  }
}
