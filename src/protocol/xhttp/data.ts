/** Bytes of an upload in headers and cookies: base64url without padding, in numbered pieces. */
import type { RequestHead } from '../http/head.ts'
import { canonicalName, type Header, valuesOf } from '../http/headers.ts'
import { type DataPlace, type Draw, draw } from './model.ts'
import { cookieOf } from './words.ts'

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
const values = new Map([...alphabet].map((letter, value) => [letter.charCodeAt(0), value]))

export function encodeData(bytes: Uint8Array): string {
  let text = ''
  for (let at = 0; at < bytes.length; at += 3) {
    const [a = 0, b = 0, c = 0] = bytes.subarray(at, at + 3)
    const left = Math.min(3, bytes.length - at)
    const letters = [a >> 2, ((a & 3) << 4) | (b >> 4), ((b & 15) << 2) | (c >> 6), c & 63]
    for (const value of letters.slice(0, left + 1)) text += alphabet[value]
  }
  return text
}

/** Undefined for what is no base64url. */
export function decodeData(text: string): Uint8Array | undefined {
  if (text.length % 4 === 1) return undefined
  const bytes = new Uint8Array(Math.floor((text.length * 3) / 4))
  let held = 0
  let bits = 0
  let at = 0
  for (let i = 0; i < text.length; i++) {
    const value = values.get(text.charCodeAt(i))
    if (value === undefined) return undefined
    held = ((held << 6) | value) & 0xffff
    bits += 6
    if (bits < 8) continue
    bits -= 8
    bytes[at++] = held >> bits
  }
  return bytes
}

/** The headers that carry `bytes`. */
export function dataHeaders(bytes: Uint8Array, { at, key, chunk }: DataPlace, random: Draw): readonly Header[] {
  const pieces: string[] = []
  for (let rest = encodeData(bytes); rest !== ''; ) {
    const piece = rest.slice(0, draw(random, chunk))
    pieces.push(piece)
    rest = rest.slice(piece.length)
  }
  if (at === 'header') return pieces.map((value, i) => ({ name: `${key}-${i}`, value }))
  return pieces.map((value, i) => ({ name: 'Cookie', value: `${key}_${i}=${value}` }))
}

/** What headers and cookies carry, as far as they may here; undefined for what is no base64url. */
export function takeData({ headers }: RequestHead, { at, key }: DataPlace): readonly Uint8Array[] | undefined {
  const parts: Uint8Array[] = []
  const sources = [
    ...(at === 'auto' || at === 'header' ? [(i: number) => valuesOf(headers, canonicalName(`${key}-${i}`))[0]] : []),
    ...(at === 'auto' || at === 'cookie' ? [(i: number) => cookieOf(headers, `${key}_${i}`)] : []),
  ]
  for (const piece of sources) {
    let text = ''
    for (let i = 0; ; i++) {
      const next = piece(i)
      if (!next) break
      text += next
    }
    const bytes = decodeData(text)
    if (!bytes) return undefined
    if (bytes.length > 0) parts.push(bytes)
  }
  return parts
}
