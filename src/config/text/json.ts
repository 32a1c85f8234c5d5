import { join, type Place, type Report, shorten } from '../../schema/report.ts'
import { type Entry, type JsonNode, longArray, type Source } from '../../schema/tree.ts'
import { closeBrace, closeBracket, colon, notJson, openBrace, openBracket, Scanner, zero } from './scanner.ts'

/** A list with more items is read item by item when somebody asks for them. */
const nodesMax = 64

/**
 * The nodes of a text that is JSON up to `end`. Undefined where it is not: what is wrong with it is for a parser that goes on behind
 * errors. Ours is here for long lists, users above all: items are checked, but no node is made or kept before it is asked for.
 */
export function readJson(source: Source, end: number, report: Report): JsonNode | undefined {
  const twins: Twin[] = []
  try {
    const node = new Reader(source, end, [], (twin) => twins.push(twin), tellOf(report)).whole()
    twins.forEach(tellOf(report))
    return node
  } catch (error) {
    if (error === notJson) return undefined
    throw error
  }
}

/** A key that stood in the same object before. */
interface Twin {
  readonly key: string
  readonly place: Place
}

type Tell = (twin: Twin) => void

const tellOf =
  (report: Report): Tell =>
  ({ key, place }) =>
    report.warn('CFG006', place, `the key ${JSON.stringify(shorten(key))} stands twice; the last one counts`)

/** Objects with more keys have an index of them. */
const keysMax = 16

class Reader {
  readonly #source: Source
  readonly #end: number
  readonly #scan: Scanner
  /** Keys and indices that lead to what is being read. */
  readonly #path: (string | number)[]
  readonly #tell: Tell
  /** The same for items that are read later. */
  readonly #tellLater: Tell

  constructor(source: Source, end: number, path: readonly (string | number)[], tell: Tell, tellLater = tell) {
    this.#source = source
    this.#end = end
    this.#scan = new Scanner(source.text, end)
    this.#path = [...path]
    this.#tell = tell
    this.#tellLater = tellLater
  }

  whole(): JsonNode {
    const node = this.value()
    this.#scan.blanks()
    if (this.#scan.at < this.#end) throw notJson
    return node
  }

  /** What stands there, the item of a list. */
  item(index: number, offset: number): JsonNode {
    this.#scan.at = offset
    this.#path.push(index)
    const node = this.value()
    this.#path.pop()
    return node
  }

  value(): JsonNode {
    const offset = this.#scan.blanks()
    switch (this.#scan.code()) {
      case openBrace:
        return this.#object(offset)
      case openBracket:
        return this.#array(offset)
      default: {
        this.#scan.skipScalar()
        const value = this.#scalar(offset)
        const type = value === null ? 'null' : (typeof value as 'string')
        return { source: this.#source, offset, length: this.#scan.at - offset, type, value } as JsonNode
      }
    }
  }

  /** What was skipped. The engine's own parser makes texts that do not keep the whole file in memory. */
  #scalar(offset: number): unknown {
    const length = this.#scan.at - offset
    const { text } = this.#source
    if (length === 1) return text.charCodeAt(offset) - zero
    return JSON.parse(text.slice(offset, this.#scan.at))
  }

  #object(offset: number): JsonNode {
    const entries: Entry[] = []
    let keys: Set<string> | undefined
    if (this.#scan.enter(closeBrace)) {
      do {
        const keyOffset = this.#scan.blanks()
        const key = this.#key()
        this.#path.push(key)
        if (keys ? keys.has(key) : entries.some((entry) => entry.key === key)) this.#forget(entries, key, keyOffset)
        entries.push({ key, keyOffset, value: this.value() })
        this.#path.pop()
        if (entries.length === keysMax) keys = new Set(entries.map((entry) => entry.key))
        else keys?.add(key)
      } while (this.#scan.more(closeBrace))
    }
    return { source: this.#source, offset, length: this.#scan.at - offset, type: 'object', entries }
  }

  #key(): string {
    const offset = this.#scan.at
    this.#scan.skipString()
    const key = this.#source.text.slice(offset + 1, this.#scan.at - 1)
    this.#scan.blanks()
    this.#scan.take(colon)
    return key.includes('\\') ? JSON.parse(`"${key}"`) : key
  }

  /** Of two entries with one key the last counts. */
  #forget(entries: Entry[], key: string, offset: number): void {
    const first = entries.findIndex((entry) => entry.key === key)
    entries.splice(first, 1)
    this.#tell({ key, place: { source: this.#source, offset, path: this.#path.reduce<string>(join, '') } })
  }

  #array(offset: number): JsonNode {
    const items: JsonNode[] = []
    const starts: number[] = []
    if (this.#scan.enter(closeBracket)) {
      do {
        const at = this.#scan.blanks()
        starts.push(at)
        if (starts.length > nodesMax) this.#scan.skip()
        else items.push(this.item(starts.length - 1, at))
      } while (this.#scan.more(closeBracket))
    }
    const located = { source: this.#source, offset, length: this.#scan.at - offset }
    if (starts.length <= nodesMax) return { ...located, type: 'array', items }
    const reader = new Reader(this.#source, this.#end, this.#path, this.#tellLater)
    return longArray(located, { length: starts.length, at: (i) => reader.item(i, starts[i]!) })
  }
}
