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
  /** Keys of a query that stand without `=`. */
  readonly #bare = new Set<string>()
  readonly #taken = new Set<string>()
  readonly #fold: (key: string) => string

  /** Keys are compared exactly, or without regard to letter case with `anyCase`. */
  constructor(entries: Iterable<readonly [string, string]>, options: { anyCase?: boolean } = {}) {
    this.#fold = options.anyCase ? (key) => key.toLowerCase() : (key) => key
    for (const [key, value] of entries) {
      if (key === '') continue
      const known = this.#values.get(this.#fold(key))
      if (known !== undefined && known !== value) {
        throw linkError(`the parameter ${quote(key)}`, 'is given twice with different values', 'leave one of them')
      }
      this.#values.set(this.#fold(key), value)
    }
  }

  static fromQuery(query: string, options: { anyCase?: boolean } = {}): Params {
    const pairs = query.split('&').filter((pair) => pair !== '')
    const params = new Params(pairs.map(splitPair), options)
    for (const pair of pairs) if (!pair.includes('=')) params.#bare.add(params.#fold(splitPair(pair)[0]))
    return params
  }

  /** The first non-empty value among the names; `''` when there is none. All of the names count as understood. */
  take(...keys: readonly string[]): string {
    const values = keys.map((key) => {
      this.#taken.add(this.#fold(key))
      return this.#values.get(this.#fold(key)) ?? ''
    })
    return values.find((value) => value !== '') ?? ''
  }

  /** Like `take`, for what is on or off: a key that stands alone is on. */
  takeSwitch(...keys: readonly string[]): string {
    const value = this.take(...keys)
    return value === '' && keys.some((key) => this.#bare.has(this.#fold(key))) ? '1' : value
  }

  /** What was never asked for and says something. */
  rest(): Record<string, string> {
    const says = ([key, value]: readonly [string, string]) => value !== '' || this.#bare.has(key)
    return Object.fromEntries([...this.#values].filter((pair) => says(pair) && !this.#taken.has(pair[0])))
  }
}

function splitPair(pair: string): [string, string] {
  const equals = pair.indexOf('=')
  const decode = (text: string) => percentDecode(text.replaceAll('+', ' '))
  return equals < 0 ? [decode(pair), ''] : [decode(pair.slice(0, equals)), decode(pair.slice(equals + 1))]
}
