import type { Random } from '../../core/env.ts'
import { createAead, tagLength } from '../../crypto/aead.ts'
import { fnv1a32 } from '../../crypto/checksum.ts'
import { sha256 } from '../../crypto/hash.ts'
import type { Mask, Packet } from './mask.ts'

const nonceLength = 12

/** AES-128-GCM under a key from a password that both ends know: `nonce(12) ‖ ciphertext ‖ tag(16)`. */
export function gcmSeal(seed: string, random: Random): Mask {
  const aead = createAead('aes-128-gcm', sha256(new TextEncoder().encode(seed)).subarray(0, 16))
  return {
    before: nonceLength,
    behind: tagLength,
    wrap(packet: Packet): void {
      const { bytes, start, end } = packet
      const nonce = random.fill(bytes.subarray(start - nonceLength, start))
      aead.seal(nonce, bytes.subarray(start, end), bytes, start)
      packet.start -= nonceLength
      packet.end += tagLength
    },
    open(packet: Packet): boolean {
      const { bytes, start, end } = packet
      const sealed = start + nonceLength
      if (end < sealed + tagLength) return false
      const length = aead.open(bytes.subarray(start, sealed), bytes.subarray(sealed, end), bytes, sealed)
      packet.start = sealed
      packet.end = sealed + length
      return length >= 0
    },
  }
}

/**
 * V2Ray's seal without a seed: `FNV-1a of the rest (4) ‖ length (2) ‖ segments`, each byte mixed with the one four before it.
 * It tells damaged and foreign datagrams apart, and is no secret.
 */
export const plainSeal: Mask = {
  before: 6,
  behind: 0,
  wrap(packet: Packet): void {
    const { bytes, start, end } = packet
    const at = start - 6
    packet.start = at
    bytes[start - 2] = (end - start) >>> 8
    bytes[start - 1] = end - start
    const sum = fnv1a32(bytes, start - 2, end)
    bytes[at] = sum >>> 24
    bytes[at + 1] = sum >>> 16
    bytes[at + 2] = sum >>> 8
    bytes[at + 3] = sum
    for (let i = at + 4; i < end; i++) bytes[i]! ^= bytes[i - 4]!
  },
  open(packet: Packet): boolean {
    const { bytes, start, end } = packet
    if (end - start < 6) return false
    for (let i = end - 1; i >= start + 4; i--) bytes[i]! ^= bytes[i - 4]!
    const sum = ((bytes[start]! << 24) | (bytes[start + 1]! << 16) | (bytes[start + 2]! << 8) | bytes[start + 3]!) >>> 0
    packet.start = start + 6
    return (
      ((bytes[start + 4]! << 8) | bytes[start + 5]!) === end - packet.start && fnv1a32(bytes, start + 4, end) === sum
    )
  },
}
