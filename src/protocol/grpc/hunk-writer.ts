import { limits } from '../../core/limits.ts'
import { dataTag, messageHead } from './hunk.ts'

/** Message head, tag, and the length of the data: three bytes where the message has at most 2 MiB. */
const headMax = messageHead + 1 + 3
/** What one message carries at most, so that with its own fields it has `limits.grpcMessage` bytes. */
const most = limits.grpcMessage - 1 - 3

/** Bytes that `length` bytes of a stream become, at most. */
export const hunkRoom = (length: number): number => length + Math.ceil(length / most) * headMax

/**
 * Writes `bytes`, which stay as they are, as messages to the beginning of `into`; gives where they end. Each is one Hunk
 * with data in it, which is a MultiHunk with one element too: some peers read nothing else. No bytes: no message.
 */
export function writeHunks(bytes: Uint8Array, into: Uint8Array): number {
  let end = 0
  for (let from = 0; from < bytes.length; from += most) {
    const data = bytes.subarray(from, from + most)
    end = writeHunk(data, into, end)
  }
  return end
}

function writeHunk(data: Uint8Array, into: Uint8Array, at: number): number {
  const { length } = data
  const lengthBytes = length < 0x80 ? 1 : length < 0x4000 ? 2 : 3
  const message = 1 + lengthBytes + length
  into[at++] = 0
  into[at++] = 0
  into[at++] = message >>> 16
  into[at++] = (message >>> 8) & 0xff
  into[at++] = message & 0xff
  into[at++] = dataTag
  for (let rest = length, i = 1; i <= lengthBytes; i++, rest >>>= 7)
    into[at++] = (rest & 0x7f) | (i < lengthBytes ? 0x80 : 0)
  into.set(data, at)
  return at + length
}
