import type { Clock } from '../../core/env.ts'
import { mapInSlices } from '../../core/time/slices.ts'

/** Protobuf of a message. */
export type Encode = (message: object) => Buffer

/** Items of a list that are encoded at once. */
const pieceLength = 16

/**
 * Encodes an answer, long lists of it piece by piece: in protobuf, messages that follow each other are one in which the
 * lists have been joined.
 */
export async function encodeInSlices(clock: Clock, message: object, encode: Encode): Promise<Buffer> {
  const lists = Object.entries(message).filter(([, value]) => Array.isArray(value) && value.length > pieceLength)
  if (lists.length === 0) return encode(message)
  const rest = Object.fromEntries(Object.entries(message).filter(([name]) => lists.every(([list]) => list !== name)))
  const pieces = await mapInSlices(clock, piecesOf(lists), encode)
  return Buffer.concat([encode(rest), ...pieces])
}

function* piecesOf(lists: readonly [name: string, values: readonly unknown[]][]): Iterable<object> {
  for (const [name, values] of lists) {
    for (let i = 0; i < values.length; i += pieceLength) yield { [name]: values.slice(i, i + pieceLength) }
  }
}
