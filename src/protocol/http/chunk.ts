/** Chunks of a chunked body that is written. */
import { bytesOf } from './text.ts'

/** The one that ends a body, without trailers. */
export const lastChunk = bytesOf('0\r\n\r\n')

/** Bytes around the content of a chunk, at most: its size in hexadecimal and two line ends. */
const around = 16

/** Length of a buffer that a chunk with so much content fits into. */
export const chunkRoom = (length: number): number => length + around

/** Writes `content`, which is not empty, as a chunk to the front of `into`; gives its length. */
export function writeChunk(content: Uint8Array, into: Uint8Array): number {
  const size = content.length.toString(16)
  let at = 0
  for (; at < size.length; at++) into[at] = size.charCodeAt(at)
  into[at++] = 0x0d
  into[at++] = 0x0a
  into.set(content, at)
  at += content.length
  into[at++] = 0x0d
  into[at++] = 0x0a
  return at
}
