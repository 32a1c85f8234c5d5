/** Who a user is: sixteen bytes, and the keys and alternative ids that follow from them. */

import { ProxyError } from '../../../core/errors.ts'
import { equalBytes, md5, sha1 } from '../../../crypto/hash.ts'
import { md5Short } from '../../../crypto/md5-block.ts'

/** Length of an id in bytes. */
export const idLength = 16

/** A text of up to this many UTF-8 bytes is a custom string, not a UUID. */
const customMax = 30
const uuidMin = 32
const uuidMax = 36

const text = new TextEncoder()
const commandKeySalt = text.encode('c48619fe-8f02-49e0-b9e9-edf763e17e21')
const alterIdSalt = text.encode('16167dc8-16b6-4e6d-b8bb-65dd68113a81')
const alterIdRetrySalt = text.encode('533eff8a-4113-4b10-b5ce-0f5d76b98cd2')

/**
 * The id that a text of the configuration stands for, by Xray's rules: 1 to 30 UTF-8 bytes are a custom string,
 * 32 to 36 a UUID. @returns 16 bytes. @throws ProxyError USER_INVALID_ID; the message never repeats the text.
 */
export function parseId(id: string): Uint8Array {
  const length = text.encode(id).length
  if (length >= 1 && length <= customMax) return customId(id)
  if (length >= uuidMin && length <= uuidMax) return parseUuid(id)
  throw invalidId(length === 0 ? 'the user id is empty' : `the user id has ${length} bytes`)
}

/**
 * A UUID by V2Ray's rules: groups of 8, 4, 4, 4 and 12 hex digits of any case, one optional hyphen before each; what follows
 * the last group is ignored. @returns 16 bytes. @throws ProxyError USER_INVALID_ID
 */
export function parseUuid(uuid: string): Uint8Array {
  const bytes = text.encode(uuid)
  if (bytes.length < uuidMin)
    throw invalidId(`a UUID has at least ${uuidMin} characters, this text has ${bytes.length}`)
  const digits = /^-?([0-9a-f]{8})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{4})-?([0-9a-f]{12})/i.exec(uuid)
  if (!digits) throw invalidId(`the user id, ${bytes.length} bytes long, is not a UUID`)
  return fromHex(digits.slice(1).join(''))
}

/** Room for ids to come. Those of many users lie in few buffers, since a buffer takes more than what is in one of them. */
let room = new Uint8Array(0)
const roomLength = 64 * idLength

function newId(): Uint8Array {
  if (room.length === 0) room = new Uint8Array(roomLength)
  const id = room.subarray(0, idLength)
  room = room.subarray(idLength)
  return id
}

/** @param hex 32 digits */
function fromHex(hex: string): Uint8Array {
  const id = newId()
  for (let i = 0; i < idLength; i++) id[i] = (digit(hex.charCodeAt(i * 2)) << 4) | digit(hex.charCodeAt(i * 2 + 1))
  return id
}

/** Of a hex digit in either case. */
const digit = (code: number): number => (code & 15) + (code > 57 ? 9 : 0)

function invalidId(what: string): ProxyError {
  return new ProxyError('USER_INVALID_ID', `${what}: neither a UUID nor a custom string of 1 to ${customMax} bytes`, {
    hint: 'a UUID looks like b831381d-6324-4d53-ad4f-8cda48b30811 (32 hex digits, hyphens optional); make a fresh one with `vmess uuid`',
  })
}

/** The id of a custom string: a version 5 UUID in the nil namespace. Any length; nothing is trimmed or normalised. */
export function customId(string: string): Uint8Array {
  const id = sha1(new Uint8Array(16), text.encode(string)).slice(0, idLength)
  id[6] = (id[6]! & 0x0f) | 0x50
  id[8] = (id[8]! & 0x3f) | 0x80
  return id
}

/** Canonical text of an id: lower case with hyphens, 36 characters. */
export function formatUuid(id: Uint8Array): string {
  let text = ''
  for (let i = 0; i < 16; i++) text += (i === 4 || i === 6 || i === 8 || i === 10 ? '-' : '') + hexOf[id[i]!]
  return text
}

/** Two digits of every byte. */
const hexOf: readonly string[] = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'))

/** The key that seals the request header of an id: 16 bytes. The legacy header too uses that of the primary id. */
export const commandKey = (id: Uint8Array): Uint8Array => salted(id, commandKeySalt)

/** The alternative id that follows `id` in the chain: 16 bytes. */
export function nextAlterId(id: Uint8Array): Uint8Array {
  let next = salted(id, alterIdSalt)
  for (const parts = [id, alterIdSalt]; equalBytes(next, id); next = md5(...parts)) parts.push(alterIdRetrySalt)
  return next
}

/** An id and a salt, the longest of which has 36 bytes: one block. */
const message = new Uint8Array(idLength + 36)

function salted(id: Uint8Array, salt: Uint8Array): Uint8Array {
  message.set(id)
  message.set(salt, idLength)
  return md5Short(message)
}

/** The first `count` alternative ids. */
export function alterIds(id: Uint8Array, count: number): Uint8Array[] {
  const ids: Uint8Array[] = []
  for (let last = id; ids.length < count; ids.push(last)) last = nextAlterId(last)
  return ids
}
