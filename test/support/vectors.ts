import { readFileSync } from 'node:fs'

const read = (name: string) => JSON.parse(readFileSync(new URL(`../vectors/${name}`, import.meta.url), 'utf8'))

/** The cases of one group of vmess-core.json. */
export function vectorCases<T>(group: string): T[] {
  const cases = read('vmess-core.json').groups[group]?.cases
  if (!Array.isArray(cases) || cases.length === 0) throw new Error(`no vectors in the group ${group}`)
  return cases
}

export interface Conversation {
  readonly peer: string
  readonly name: string
  readonly security: string
  readonly experiments?: string
  readonly id: string
  readonly target: { readonly address: string; readonly port: number }
  readonly unixTime: number
  readonly sizes: readonly number[]
  readonly events: readonly { readonly dir?: 'c2s' | 's2c'; readonly base64?: string; readonly event?: string }[]
}

export const conversations = (): Conversation[] => read('peers-raw.json').cases

export const fromHex = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, 'hex'))
export const toHex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')

/** The plaintext of all recorded streams: byte i = (i * 31 + 7) & 255. */
export const pattern = (length: number, offset = 0): Uint8Array =>
  new Uint8Array(length).map((_, i) => (i + offset) * 31 + 7)

export const concat = (...parts: readonly Uint8Array[]): Uint8Array => Uint8Array.from(Buffer.concat(parts))

/** Throws unless the two are the same bytes; much faster than a deep comparison. */
export function sameBytes(actual: Uint8Array, expected: Uint8Array): void {
  if (Buffer.compare(actual, expected) === 0) return
  const at = expected.findIndex((byte, i) => actual[i] !== byte)
  throw new Error(
    `${actual.length} bytes instead of ${expected.length}, first difference at ${at < 0 ? expected.length : at}`,
  )
}
