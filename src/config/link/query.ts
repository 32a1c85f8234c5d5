/** The parameters after `?` of a link, with a memory of which of them anybody understood. */
import { linkError, percentDecode, quote } from './text.ts'

export interface LinkUrl {
  /** What stands between `://` and the first `/`, `?` or `#`… */
  readonly body: string
  readonly query: string
  /** Percent-decoded; `''` without one. */
  readonly fragment: string
}

/** Cuts at the first `#`, then at the first `?` before it. */
export function splitUrl(text: string): LinkUrl {
  const hash = text.indexOf('#')
  const fragment = hash < 0 ? '' : percentDecode(text.slice(hash + 1))
  const rest = hash < 0 ? text : text.slice(0, hash)
  const mark = rest.indexOf('?')
  return { body: mark < 0 ? rest : rest.slice(0, mark), query: mark < 0 ? '' : rest.slice(mark + 1), fragment }
}

export class Params {
  readonly #values = new Map<string, string>()
  readonly #taken = new Set<string>()
  readonly #fold: (key: string) => string

  /** Keys are compared exactly, or without regard to letter case with `anyCase`. */
  constructor(entries: Iterable<readonly [string, string]>, options: { anyCase?: boolean } = {}) {
    this.#fold = options.anyCase ? (key) => key.toLowerCase() : (key) => key
    for (const [key, value] of entries) {
      const known = this.#values.get(this.#fold(key))
      if (known !== undefined && known !== value) {
        throw linkError(`the parameter ${quote(key)}`, 'is given twice with different values', 'leave one of them')
      }
      this.#values.set(this.#fold(key), value)
    }
  }

  static fromQuery(query: string, options: { anyCase?: boolean } = {}): Params {
    const pairs = query.split('&').filter((pair) => pair !== '')
    return new Params(pairs.map(splitPair), options)
  }

  /** The first non-empty value among the names; `''` when there is none. All of the names count as understood. */
  take(...keys: readonly string[]): string {
    const values = keys.map((key) => {
      this.#taken.add(this.#fold(key))
      return this.#values.get(this.#fold(key)) ?? ''
    })
    return values.find((value) => value !== '') ?? ''
  }

  /** What was never asked for. */
  rest(): Record<string, string> {
    return Object.fromEntries([...this.#values].filter(([key]) => !this.#taken.has(key)))
  }
}

function splitPair(pair: string): [string, string] {
  const equals = pair.indexOf('=')
  const decode = (text: string) => percentDecode(text.replaceAll('+', ' '))
  return equals < 0 ? [decode(pair), ''] : [decode(pair.slice(0, equals)), decode(pair.slice(equals + 1))]
}
