import { invalid, unavailable } from './status.ts'

/** V2Ray or Xray: their messages have the same names behind another beginning, and differ in some fields. */
export type Family = 'v2ray' | 'xray'

/** A message that came together with its name. */
export interface Typed {
  readonly family: Family
  /** Without the beginning that tells the families apart: `proxy.vmess.Account`. */
  readonly name: string
  /** As it was written. */
  readonly type: string
  readonly fields: Fields
}

/** Finds the message that a TypedMessage holds. @throws StatusError when it is unknown or malformed */
export type Opener = (type: string, value: Uint8Array) => Typed

/**
 * A decoded message from which fields are taken. What nobody took is not carried here, and end() says so: a setting that
 * was asked for is applied or refused, never lost.
 */
export class Fields {
  /** Name for messages to people. */
  readonly path: string
  readonly #left: Map<string, unknown>
  readonly #open: Opener
  readonly #children: Fields[] = []

  constructor(path: string, values: object, open: Opener) {
    this.path = path
    this.#left = new Map(Object.entries(values))
    this.#open = open
  }

  text(name: string): string {
    return (this.#take(name) as string | undefined) ?? ''
  }

  number(name: string): number {
    return (this.#take(name) as number | undefined) ?? 0
  }

  flag(name: string): boolean {
    return (this.#take(name) as boolean | undefined) ?? false
  }

  bytes(name: string): Uint8Array | undefined {
    return this.#take(name) as Uint8Array | undefined
  }

  /** A repeated field of numbers, texts or bytes. */
  values<T>(name: string): readonly T[] {
    return (this.#take(name) as readonly T[] | undefined) ?? []
  }

  /** A map of texts. */
  entries(name: string): [key: string, value: string][] {
    return Object.entries((this.#take(name) as Record<string, string> | undefined) ?? {})
  }

  message(name: string): Fields | undefined {
    const value = this.#take(name)
    return value ? this.#child(name, value) : undefined
  }

  messages(name: string): readonly Fields[] {
    const values = (this.#take(name) as readonly object[] | undefined) ?? []
    return values.map((value) => this.#child(name, value))
  }

  typed(name: string): Typed | undefined {
    const message = this.message(name)
    if (!message) return undefined
    return message.#opened()
  }

  typedList(name: string): readonly Typed[] {
    return this.messages(name).map((message) => message.#opened())
  }

  /** @throws StatusError when it is not there */
  mustHaveTyped(name: string): Typed {
    const typed = this.typed(name)
    if (!typed) throw invalid(`${this.path} has no ${name}`)
    return typed
  }

  /** @throws StatusError UNIMPLEMENTED for the first field with a value that was not taken, here or further inside */
  end(): void {
    for (const [name, value] of this.#left) if (!isZero(value)) throw unavailable(`${this.path}.${name}`)
    for (const child of this.#children) child.end()
  }

  #take(name: string): unknown {
    const value = this.#left.get(name)
    this.#left.delete(name)
    return value
  }

  #child(name: string, value: object): Fields {
    const child = new Fields(`${this.path}.${name}`, value, this.#open)
    this.#children.push(child)
    return child
  }

  /** What a TypedMessage holds. */
  #opened(): Typed {
    const typed = this.#open(this.text('type'), this.bytes('value') ?? new Uint8Array())
    this.#children.push(typed.fields)
    return typed
  }
}

/** Protobuf's default: a field with this value says nothing. */
function isZero(value: unknown): boolean {
  if (value === undefined || value === null || value === '' || value === 0 || value === false) return true
  if (Array.isArray(value) || value instanceof Uint8Array) return value.length === 0
  return typeof value === 'object' && Object.values(value).every(isZero)
}
