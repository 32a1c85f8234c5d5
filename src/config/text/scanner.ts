/** Thrown where a text is not JSON. */
export const notJson = new Error('not JSON')

export const [zero, colon, openBracket, closeBracket, openBrace, closeBrace] = [0x30, 0x3a, 0x5b, 0x5d, 0x7b, 0x7d]
export const [quote, comma, backslash] = [0x22, 0x2c, 0x5c]
const [minus, dot, nine] = [0x2d, 0x2e, 0x39]
const [smallE, smallF, smallN, smallT, plus] = [0x65, 0x66, 0x6e, 0x74, 0x2b]

/** Walks over a text that should be JSON, without a value or a node for anything. */
export class Scanner {
  readonly #text: string
  readonly #end: number
  /** Where it stands. */
  at: number

  constructor(text: string, end: number, at = 0) {
    this.#text = text
    this.#end = end
    this.at = at
  }

  /** Behind a bracket that opens: whether there is any member before the one that closes. */
  enter(close: number): boolean {
    this.at++
    this.blanks()
    if (this.code() !== close) return true
    this.at++
    return false
  }

  /** Whether another member follows, or the bracket that closes. */
  more(close: number): boolean {
    this.blanks()
    const code = this.code()
    this.at++
    if (code === close) return false
    if (code === comma) return true
    throw notJson
  }

  /** Over a value and all in it. */
  skip(): void {
    this.blanks()
    const code = this.code()
    if (code !== openBrace && code !== openBracket) {
      this.skipScalar()
      return
    }
    const close = code === openBrace ? closeBrace : closeBracket
    if (!this.enter(close)) return
    do {
      if (code === openBrace) {
        this.blanks()
        this.skipString()
        this.blanks()
        this.take(colon)
      }
      this.skip()
    } while (this.more(close))
  }

  /** Over what is no object and no array. */
  skipScalar(): void {
    switch (this.code()) {
      case quote:
        this.skipString()
        return
      case smallT:
        this.#skipWord('true')
        return
      case smallF:
        this.#skipWord('false')
        return
      case smallN:
        this.#skipWord('null')
        return
      default:
        this.#skipNumber()
    }
  }

  skipString(): void {
    this.take(quote)
    const text = this.#text
    for (let i = this.at; i < this.#end; i++) {
      const code = text.charCodeAt(i)
      if (code === quote) {
        this.at = i + 1
        return
      }
      if (code < 0x20) throw notJson
      if (code === backslash) i += this.#escape(i + 1)
    }
    throw notJson
  }

  /** How long the escape is whose letter stands there. */
  #escape(at: number): number {
    if ('"\\/bfnrt'.includes(this.#text[at] ?? '.')) return 1
    if (/^u[0-9a-f]{4}$/i.test(this.#text.slice(at, at + 5))) return 5
    throw notJson
  }

  #skipWord(word: string): void {
    if (!this.#text.startsWith(word, this.at)) throw notJson
    this.at += word.length
  }

  #skipNumber(): void {
    if (this.code() === minus) this.at++
    if (this.code() === zero) this.at++
    else this.#skipDigits()
    if (this.code() === dot) {
      this.at++
      this.#skipDigits()
    }
    if ((this.code() | 0x20) !== smallE) return
    this.at++
    const sign = this.code()
    if (sign === plus || sign === minus) this.at++
    this.#skipDigits()
  }

  #skipDigits(): void {
    const start = this.at
    for (let code = this.code(); code >= zero && code <= nine; code = this.code()) this.at++
    if (this.at === start) throw notJson
  }

  /** Where the next character is that is no blank. */
  blanks(): number {
    const text = this.#text
    let at = this.at
    for (; at < this.#end; at++) {
      const code = text.charCodeAt(at)
      if (code !== 0x20 && code !== 0x0a && code !== 0x0d && code !== 0x09) break
    }
    this.at = at
    return at
  }

  take(code: number): void {
    if (this.code() !== code) throw notJson
    this.at++
  }

  /** 0 at the end. */
  code(): number {
    return this.at < this.#end ? this.#text.charCodeAt(this.at) : 0
  }
}
