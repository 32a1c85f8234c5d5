/**
 * V2Ray's expressions over the attributes of an HTTP request, for the shapes that are seen: comparisons of texts,
 * `startswith`, `endswith`, `in`, `attrs.get`, joined by `and`, `or`, `not`. What cannot be evaluated, as a key that is not
 * there, makes the whole false.
 */
type Attributes = Readonly<Record<string, string>>
type Value = string | boolean | readonly string[] | undefined
type Node = (attributes: Attributes) => Value

/** Thrown by what asks for a key that is not there. */
const missing = new Error('no such attribute')

/** Why an expression cannot be read; undefined when it can. */
export function expressionFault(text: string): string | undefined {
  try {
    new Parser(text).whole()
    return undefined
  } catch (error) {
    return (error as Error).message
  }
}

/** @throws Error for what expressionFault() finds */
export function expressionTest(text: string): (attributes: Attributes) => boolean {
  const node = new Parser(text).whole()
  return (attributes) => {
    try {
      return truth(node(attributes))
    } catch {
      return false
    }
  }
}

const truth = (value: Value): boolean =>
  typeof value === 'object' || typeof value === 'string' ? value.length > 0 : value === true

/** A name, a text, or a sign. */
const token = /\s*(?:([A-Za-z_]\w*)|'([^'\\\n]*)'|"([^"\\\n]*)"|(==|!=|[()[\],.]))/y

interface Token {
  readonly word?: string | undefined
  readonly text?: string | undefined
  readonly sign?: string | undefined
}

class Parser {
  readonly #tokens: Token[] = []
  #at = 0

  constructor(source: string) {
    token.lastIndex = 0
    const end = source.trimEnd().length
    while (token.lastIndex < end) {
      const from = token.lastIndex
      const match = token.exec(source)
      if (!match) throw new Error(`"${source.slice(from, from + 20).trim()}" is not supported`)
      this.#tokens.push({ word: match[1], text: match[2] ?? match[3], sign: match[4] })
    }
  }

  whole(): Node {
    const node = this.#either()
    const left = this.#tokens[this.#at]
    if (left) throw new Error(`${shown(left)} is not expected there`)
    return node
  }

  #either(): Node {
    let left = this.#both()
    while (this.#takes('or')) {
      const [a, b] = [left, this.#both()]
      left = (attributes) => {
        const value = a(attributes)
        return truth(value) ? value : b(attributes)
      }
    }
    return left
  }

  #both(): Node {
    let left = this.#negated()
    while (this.#takes('and')) {
      const [a, b] = [left, this.#negated()]
      left = (attributes) => {
        const value = a(attributes)
        return truth(value) ? b(attributes) : value
      }
    }
    return left
  }

  #negated(): Node {
    if (!this.#takes('not')) return this.#comparison()
    const node = this.#negated()
    return (attributes) => !truth(node(attributes))
  }

  #comparison(): Node {
    const left = this.#value()
    if (this.#takes('==')) {
      const right = this.#value()
      return (attributes) => left(attributes) === right(attributes)
    }
    if (this.#takes('!=')) {
      const right = this.#value()
      return (attributes) => left(attributes) !== right(attributes)
    }
    const negated = this.#tokens[this.#at]?.word === 'not' && this.#tokens[this.#at + 1]?.word === 'in'
    if (negated) this.#at++
    if (!this.#takes('in')) return left
    const right = this.#container()
    return (attributes) => right(attributes, left(attributes)) !== negated
  }

  /** What stands behind `in`: the attributes themselves, a list, or a text. */
  #container(): (attributes: Attributes, value: Value) => boolean {
    const next = this.#tokens[this.#at + 1]?.sign
    if (this.#tokens[this.#at]?.word === 'attrs' && next !== '[' && next !== '.') {
      this.#at++
      return (attributes, value) => Object.hasOwn(attributes, String(value))
    }
    const node = this.#value()
    return (attributes, value) => {
      const within = node(attributes)
      return typeof within === 'string' || typeof within === 'object' ? within.includes(String(value)) : false
    }
  }

  #value(): Node {
    let node = this.#plain()
    while (this.#takes('.')) {
      const method = this.#tokens[this.#at++]?.word
      if (method !== 'startswith' && method !== 'endswith' && method !== 'lower' && method !== 'upper') {
        throw new Error(`".${method ?? ''}" is not supported`)
      }
      this.#needs('(')
      const argument = method === 'lower' || method === 'upper' ? undefined : this.#either()
      this.#needs(')')
      node = called(node, method, argument)
    }
    return node
  }

  #plain(): Node {
    const { word, text, sign } = this.#tokens[this.#at++] ?? {}
    if (text !== undefined) return () => text
    if (word === 'True' || word === 'False') return () => word === 'True'
    if (word === 'attrs') return this.#attribute()
    if (sign === '(') {
      const node = this.#either()
      this.#needs(')')
      return node
    }
    if (sign === '[') return this.#list()
    throw new Error(word ? `"${word}" is not known there` : 'the expression is not complete')
  }

  #attribute(): Node {
    if (this.#takes('[')) {
      const key = this.#either()
      this.#needs(']')
      return (attributes) => {
        const name = String(key(attributes))
        if (!Object.hasOwn(attributes, name)) throw missing
        return attributes[name]
      }
    }
    this.#needs('.')
    if (!this.#takes('get')) throw new Error('of "attrs" only ["KEY"] and .get("KEY") are supported')
    this.#needs('(')
    const key = this.#either()
    const otherwise = this.#takes(',') ? this.#either() : () => undefined
    this.#needs(')')
    return (attributes) => {
      const name = String(key(attributes))
      return Object.hasOwn(attributes, name) ? attributes[name] : otherwise(attributes)
    }
  }

  #list(): Node {
    const items: Node[] = []
    while (!this.#takes(']')) {
      items.push(this.#either())
      if (this.#takes(']')) break
      this.#needs(',')
    }
    return (attributes) => items.map((item) => String(item(attributes)))
  }

  #takes(what: string): boolean {
    const next = this.#tokens[this.#at]
    if (next === undefined || (next.word !== what && next.sign !== what)) return false
    this.#at++
    return true
  }

  #needs(sign: string): void {
    if (!this.#takes(sign)) throw new Error(`"${sign}" is missing`)
  }
}

function called(node: Node, method: 'startswith' | 'endswith' | 'lower' | 'upper', argument: Node | undefined): Node {
  return (attributes) => {
    const value = node(attributes)
    if (typeof value !== 'string') throw missing
    if (method === 'lower') return value.toLowerCase()
    if (method === 'upper') return value.toUpperCase()
    const part = argument?.(attributes)
    if (typeof part !== 'string') throw missing
    return method === 'startswith' ? value.startsWith(part) : value.endsWith(part)
  }
}

const shown = ({ word, text, sign }: Token): string => JSON.stringify(word ?? text ?? sign)
