/** Drives body sealers and openers the way a careless carrier would: every lent buffer is overwritten as soon as it may be. */
import { createHash } from 'node:crypto'
import type { BodyOpener, BodyOptions, BodyScheme, BodySealer, Security } from '../../src/protocol/vmess/body/body.ts'

export const securities: readonly Security[] = ['aes-128-cfb', 'aes-128-gcm', 'chacha20-poly1305', 'none']

/** The options that the low five bits of the request's option byte stand for. */
export const optionsOf = (bits: number): BodyOptions => ({
  chunkStream: (bits & 0x01) !== 0,
  chunkMasking: (bits & 0x04) !== 0,
  globalPadding: (bits & 0x08) !== 0,
  authenticatedLength: (bits & 0x10) !== 0,
})

/** Every set of options: 0x02 has no meaning for a body. */
export const optionSets: readonly number[] = Array.from({ length: 32 }, (_, bits) => bits).filter((bits) => !(bits & 2))

export const requestKey = Uint8Array.from({ length: 16 }, (_, i) => 0x91 + 7 * i)
export const requestIv = Uint8Array.from({ length: 16 }, (_, i) => 0x01 + 7 * i)

export const schemeOf = (security: Security, bits: number, transfer: 'stream' | 'packet' = 'stream'): BodyScheme => ({
  security,
  options: optionsOf(bits),
  transfer,
  requestKey,
  requestIv,
})

/** Key and IV of a direction, from those of the request. */
export function directionKeys(
  scheme: Pick<BodyScheme, 'requestKey' | 'requestIv'>,
  direction: 'request' | 'response',
  auth: 'aead' | 'legacy' = 'aead',
): { key: Uint8Array; iv: Uint8Array } {
  if (direction === 'request') return { key: scheme.requestKey, iv: scheme.requestIv }
  const derive = (bytes: Uint8Array): Uint8Array =>
    createHash(auth === 'aead' ? 'sha256' : 'md5')
      .update(bytes)
      .digest()
      .subarray(0, 16)
  return { key: derive(scheme.requestKey), iv: derive(scheme.requestIv) }
}

/** The text of every vector: byte i is i * 31 + 7. */
export const plaintext = (length: number): Uint8Array => Uint8Array.from({ length }, (_, i) => i * 31 + 7)

export const sha256Hex = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

/** Seals `pieces` one by one, at an odd offset of a larger buffer, and the terminator behind them unless `unfinished`. */
export function sealAll(sealer: BodySealer, pieces: Iterable<Uint8Array>, unfinished = false): Uint8Array {
  const parts: Uint8Array[] = []
  for (const piece of pieces) {
    const lent = new Uint8Array(piece)
    parts.push(written(sealer.maxSealed(lent.length), (into, at) => sealer.seal(lent, into, at)))
    lent.fill(0xee)
  }
  if (!unfinished) parts.push(written(sealer.maxSealed(0), (into, at) => sealer.finish(into, at)))
  return Buffer.concat(parts)
}

function written(bound: number, write: (into: Uint8Array, at: number) => number): Uint8Array {
  const at = 3
  const into = new Uint8Array(at + bound + 5).fill(0xa5)
  const end = write(into, at)
  if (end > at + bound) throw new Error(`wrote ${end - at} bytes where maxSealed promised ${bound}`)
  const outside = [...into.subarray(0, at), ...into.subarray(end)]
  if (outside.some((byte) => byte !== 0xa5)) throw new Error('wrote outside of what it returned')
  const result = into.slice(at, end)
  into.fill(0xee)
  return result
}

/** Lengths of the batches into which a stream of `total` bytes is cut. */
export type Cuts = (total: number) => Iterable<number>

export const whole: Cuts = (total) => [total]
export function* byteByByte(total: number): Iterable<number> {
  for (let i = 0; i < total; i++) yield 1
}

/** Cuts at places that follow from `seed`, in batches of 0 to `longest` bytes. */
export const randomCuts = (seed: number, longest: number): Cuts =>
  function* (total) {
    let state = seed | 1
    for (let left = total; left > 0; ) {
      state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
      const length = Math.min(left, (state >>> 8) % (longest + 1))
      left -= length
      yield length
    }
  }

/** All plaintext of `wire`, read from one shared buffer that is overwritten after every batch. */
export function openAll(opener: BodyOpener, wire: Uint8Array, cuts: Cuts = whole): Uint8Array {
  const parts: Uint8Array[] = []
  const shared = new Uint8Array(wire.length + 2)
  let at = 0
  for (const length of cuts(wire.length)) {
    const batch = shared.subarray(1, 1 + length)
    batch.set(wire.subarray(at, at + length))
    at += length
    const into = new Uint8Array(opener.room(length))
    const opened = opener.open(batch, into)
    parts.push(into.slice(0, opened))
    batch.fill(0xee)
    into.fill(0xee)
  }
  return Buffer.concat(parts)
}
