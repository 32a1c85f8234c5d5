/**
 * The sixteen bytes with which an AEAD request begins.
 *
 *     AuthID = AES-128-ECB(KDF16(command key, "AES Auth ID Encryption"), plain)
 *     plain  = time 8 | random 4 | CRC-32 of the twelve bytes before 4          big-endian, time in Unix seconds, signed
 */
import { aesEncryptor, type BlockCipher } from '../../../crypto/aes-block.ts'
import { crc32 } from '../../../crypto/checksum.ts'
import { headerSeals } from './header-seals.ts'

/** Length of an AuthID and of the legacy authentication in bytes. */
export const authIdLength = 16

/** The AES key of a user's AuthIDs: 16 bytes. */
export function authIdKey(commandKey: Uint8Array): Uint8Array {
  const key = new Uint8Array(16)
  headerSeals().authIdKey(commandKey, key)
  return key
}

/** Encrypts AuthIDs of one user. */
export const authIdSealer = (commandKey: Uint8Array): BlockCipher => aesEncryptor(authIdKey(commandKey))

/** The block before encryption. @param random 4 bytes */
export function encodeAuthId(timeS: number, random: Uint8Array): Uint8Array {
  const plain = new Uint8Array(authIdLength)
  writeWord(plain, 0, Math.floor(timeS / 0x1_0000_0000))
  writeWord(plain, 4, timeS)
  for (let i = 0; i < 4; i++) plain[8 + i] = random[i]!
  writeWord(plain, 12, crc32(plain, 0, 12))
  return plain
}

/** The lower 32 bits of a whole number. */
function writeWord(bytes: Uint8Array, at: number, value: number): void {
  for (let i = 0; i < 4; i++) bytes[at + i] = value >>> (24 - 8 * i)
}

/** A fresh AuthID. @param random 4 bytes */
export const sealAuthId = (seal: BlockCipher, timeS: number, random: Uint8Array): Uint8Array =>
  seal(encodeAuthId(timeS, random))

/** The time that an opened AuthID carries, in Unix seconds, possibly absurd. Beyond 2^53 the seconds are rounded. */
export const authIdTime = (plain: Uint8Array): number =>
  Number(new DataView(plain.buffer, plain.byteOffset, authIdLength).getBigInt64(0))
