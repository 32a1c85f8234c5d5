/** What the cases of the connection suite share: moving bytes with every buffer overwritten, and waiting with a limit. */

import assert from 'node:assert/strict'
import type { Conn } from '../core/conn.ts'
import { join } from '../protocol/wire/join.ts'

/** Declares one case, once for each direction. */
export type Cases = (title: string, body: (from: Conn, to: Conn) => Promise<void>) => void

export const PIECE = 16 * 1024
/** More than any kernel buffers, so that an unread stream has to ask for a pause before. */
export const BOUND = 256 * 1024 * 1024

export async function send(to: Conn, data: Uint8Array, pieceLength: number): Promise<void> {
  const lent = new Uint8Array(pieceLength)
  for (let at = 0; at < data.length; at += pieceLength) {
    const piece = lent.subarray(0, Math.min(pieceLength, data.length - at))
    piece.set(data.subarray(at, at + piece.length))
    const wait = to.write(piece)
    piece.fill(0xee)
    if (wait) await soon(wait, 'write()')
  }
}

/** Everything until the orderly end, or the first `length` bytes; drains, so lent bytes are copied out. */
export function collect(from: Conn, length = Number.POSITIVE_INFINITY): Promise<Uint8Array> {
  const collected = collecting(from, length)
  // A case that has already failed elsewhere does not look at this one any more.
  collected.catch(() => {})
  return collected
}

async function collecting(from: Conn, length: number): Promise<Uint8Array> {
  const pieces: Uint8Array[] = []
  let have = 0
  await drainUntil(from, (lent) => {
    pieces.push(new Uint8Array(lent))
    have += lent.length
    return have >= length
  })
  assert(length === Number.POSITIVE_INFINITY || have === length, `${have} bytes instead of ${length}`)
  return join(pieces)
}

/** Drains until the end or until `enough` says so; the stream is left as it is then. */
export async function drainUntil(from: Conn, enough: (lent: Uint8Array) => boolean | Promise<boolean>): Promise<void> {
  const done = Symbol('enough')
  const judge = (yes: boolean) => {
    if (yes) throw done
  }
  const drained = from.drainTo((lent) => {
    const verdict = enough(lent)
    return typeof verdict === 'boolean' ? judge(verdict) : verdict.then(judge)
  })
  await soon(
    drained.catch((error) => {
      if (error !== done) throw error
    }),
    'drainTo()',
  )
}

export async function readExactly(from: Conn, length: number): Promise<Uint8Array> {
  const pieces: Uint8Array[] = []
  for (let have = 0; have < length; ) {
    const piece = await soon(from.read(), 'read()')
    assert(piece, 'the stream ended early')
    pieces.push(piece)
    have += piece.length
  }
  return join(pieces)
}

/**
 * True if the promise stays open for eight turns of the event loop of at least 4 ms each, which on one machine no moving
 * stream does. Turns are counted and not time: a process that is kept waiting for the processor has made none.
 */
export async function isStuck(wait: Promise<void>): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const stuck = new Promise<boolean>((resolve) => {
    const turn = (left: number): void => {
      timer = setTimeout(() => (left > 0 ? turn(left - 1) : resolve(true)), 4)
    }
    turn(8)
  })
  const verdict = await Promise.race([wait.then(() => false), stuck])
  clearTimeout(timer)
  return verdict
}

export async function soon<T>(promise: Promise<T>, what: string): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} did not settle within 10 s`)), 10_000)
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    clearTimeout(timer)
  }
}

export async function failureOf(promise: unknown): Promise<unknown> {
  assert(promise instanceof Promise, 'a promise that rejects was expected')
  try {
    await soon(promise, 'the failure')
  } catch (error) {
    return error
  }
  throw new Error('it did not reject')
}

export async function eventually(holds: () => boolean, otherwise: string): Promise<void> {
  for (let i = 0; i < 500; i++) {
    if (holds()) return
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
  throw new Error(otherwise)
}

export function pattern(length: number, seed: number): Uint8Array {
  const bytes = new Uint8Array(length)
  let state = seed * 2654435761 + 1
  for (let i = 0; i < length; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    bytes[i] = state >>> 24
  }
  return bytes
}

export const same = (x: Uint8Array, y: Uint8Array): boolean => Buffer.compare(x, y) === 0
