/**
 * What the native twin keeps of one direction of a body: 328 bytes that belong to JavaScript, as `native/body.h` lays them out. So a
 * connection that goes costs nobody a call.
 */

import { tagLength } from '../../../crypto/aead.ts'
import { aeadKey, lengthKey } from '../body/body-keys.ts'
import type { BodyDirection, BodyScheme } from '../body/body-model.ts'
import type { ChunkForm } from '../body/chunk-form.ts'

/** Places of words that are read here. */
export const word = {
  kind: 0,
  unit: 3,
  inChunk: 4,
  padding: 5,
  ended: 6,
  consumed: 7,
  datagrams: 8,
  shakeAt: 9,
} as const

/** Places of bytes. */
const byte = { iv: 40, lengthIv: 52, key: 64, lengthKey: 96, shake: 128 } as const
const stateBytes = 328

/** Bits of the kind. */
const kinds = { chacha: 1, masked: 2, padded: 4, authenticated: 8 } as const

/** Bytes of a SHAKE128 that one permutation yields. */
const shakeRate = 168

/** Why a unit cannot be opened. */
export const failure = { lengthNotAuthentic: -1, sizeImpossible: -2, chunkNotAuthentic: -3 } as const

/** Several states share a buffer: making one costs more than everything that is put into it. The last connection that has a part keeps it. */
const perSlab = 8
let slab = new Uint8Array(0)
let used = 0

/** A direction that has not begun. Nothing is kept of what it is made from. */
export function bodyState(form: ChunkForm, scheme: BodyScheme, { key, iv }: BodyDirection): Int32Array {
  if (used === slab.length) {
    slab = new Uint8Array(perSlab * stateBytes)
    used = 0
  }
  const at = used
  used += stateBytes
  const words = new Int32Array(slab.buffer, at, stateBytes / 4)
  words[word.kind] =
    (form.aead === 'chacha20-poly1305' ? kinds.chacha : 0) |
    (form.masked ? kinds.masked : 0) |
    (form.padded ? kinds.padded : 0) |
    (form.authenticated ? kinds.authenticated : 0)
  words[word.unit] = form.authenticated ? 2 + tagLength : 2
  put(iv, 12, at + byte.iv)
  const sealing = aeadKey(form.aead!, key)
  put(sealing, sealing.length, at + byte.key)
  if (form.authenticated) {
    put(scheme.requestIv, 12, at + byte.lengthIv)
    const lengths = aeadKey(form.aead!, lengthKey(scheme.requestKey))
    put(lengths, lengths.length, at + byte.lengthKey)
  }
  if (form.masked || form.padded) {
    put(iv, iv.length, at + byte.shake)
    slab[at + byte.shake + iv.length] = 0x1f
    slab[at + byte.shake + shakeRate - 1]! |= 0x80
    words[word.shakeAt] = shakeRate
  }
  return words
}

/** Short, and mostly not worth a view. */
function put(bytes: Uint8Array, length: number, at: number): void {
  for (let i = 0; i < length; i++) slab[at + i] = bytes[i]!
}
