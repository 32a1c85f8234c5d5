/** Readers for the pieces of a link's text, and the one way in which they refuse. */

import { parseHost } from '../../core/address.ts'
import { ProxyError } from '../../core/errors.ts'
import { hideIds } from '../../schema/report.ts'
import { toAscii } from '../../schema/values.ts'

/** `part` names the piece as the link calls it, `problem` what was found, `write` what belongs there. */
export function linkError(part: string, problem: string, write: string): ProxyError {
  return new ProxyError('LINK_INVALID', `share link: ${part} ${problem}; ${write}`)
}

/** Text for a message. Cut short, because a misplaced value may be the user's id. */
export function quote(value: string, longest = 16): string {
  const plain = hideIds(printable(value))
  return JSON.stringify(plain.length > longest ? `${plain.slice(0, longest / 2)}…` : plain)
}

/** Control characters become blanks, so that a link cannot steer the terminal that shows it. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
const controls = /[\u0000-\u001f\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]+/g
const printable = (text: string) => text.replace(controls, ' ')

export const readName = (text: string): string => printable(text).trim()

/** Trims white space and control characters at both ends. */
export function trimLink(text: string): string {
  let from = 0
  let to = text.length
  while (from < to && isPadding(text.charCodeAt(from))) from++
  while (to > from && isPadding(text.charCodeAt(to - 1))) to--
  return text.slice(from, to)
}
const isPadding = (code: number) => code <= 0x20 || (code >= 0x7f && code <= 0xa0) || code === 0x3000 || code === 0xfeff

export function readPort(text: string, part: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0
  if (port >= 1 && port <= 65535) return port
  const found = text === '' ? 'is missing' : `${quote(text)} is not a port`
  throw linkError(part, found, 'write the number the server listens on, 1 to 65535')
}

export function readAlterId(text: string, part: string): number {
  if (text === '') return 0
  const count = /^\d{1,5}$/.test(text) ? Number(text) : 65536
  if (count <= 65535) return count
  throw linkError(part, `${quote(text)} is not an alterId`, 'write 0, or the number the server has, up to 65535')
}

/** A host without brackets; a name in another script becomes its ASCII form. */
export function readAddress(text: string, part: string): string {
  const write = 'write the server’s IP address or domain name'
  const trimmed = text.trim()
  const bare = trimmed.startsWith('[') && trimmed.endsWith(']') ? trimmed.slice(1, -1) : trimmed
  if (bare === '') throw linkError(part, 'is missing', write)
  if (parseHost(bare).kind !== 'domain') return bare
  const name = /^[\x21-\x7e]+$/.test(bare) ? bare : toAscii(bare)
  if (!name || name.length > 255 || /[\s:/?#@[\]\\"'<>^`{|}%]/.test(name)) {
    throw linkError(part, `${quote(text)} is not a host`, write)
  }
  return name
}

/** True and false as links spell them; anything else is refused, because it may be a misspelt safety switch. */
export function readFlag(text: string, part: string): boolean {
  const word = text.trim().toLowerCase()
  if (['', '0', 'false', 'no', 'off', 'none', 'null'].includes(word)) return false
  if (['1', 'true', 'yes', 'on'].includes(word)) return true
  throw linkError(part, `${quote(text)} is neither yes nor no`, 'write 1 or 0')
}

/** Trimmed, non-empty entries of a separated list. */
export const readList = (text: string, separator: string | RegExp = ','): string[] =>
  text
    .split(separator)
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '')

/** Percent-decoded text, or the text itself where the encoding is broken. */
export function percentDecode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** Splits `host:port`, `[v6]:port`; the port part is `''` when there is none. */
export function splitHostPort(text: string): { host: string; port: string } {
  const colon = text.lastIndexOf(':')
  if (colon < 0 || text.endsWith(']')) return { host: text, port: '' }
  return { host: text.slice(0, colon), port: text.slice(colon + 1) }
}

/** UTF-8 text behind base64 of either alphabet, padded or not, with line breaks; undefined when it is not base64. */
export function decodeBase64(text: string): string | undefined {
  const standard = (text.includes('%') ? percentDecode(text) : text)
    .replace(/\s+/g, '')
    .replaceAll('-', '+')
    .replaceAll('_', '/')
    .replace(/=+$/, '')
  if (standard === '' || !/^[A-Za-z0-9+/]+$/.test(standard) || standard.length % 4 === 1) return undefined
  const binary = atob(standard)
  return new TextDecoder().decode(Uint8Array.from(binary, (char) => char.charCodeAt(0)))
}

export function encodeBase64(text: string): string {
  let binary = ''
  for (const byte of new TextEncoder().encode(text)) binary += String.fromCharCode(byte)
  return btoa(binary)
}
