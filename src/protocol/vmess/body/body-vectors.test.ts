/** Bodies that V2Ray wrote: opened in every split, and sealed again to the same bytes. */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import {
  byteByByte,
  directionKeys,
  openAll,
  optionsOf,
  plaintext,
  randomCuts,
  sealAll,
  sha256Hex,
  whole,
} from '../../../../test/support/body.ts'
import type { Random } from '../../../core/env.ts'
import { type CfbStream, createCfb } from '../../../crypto/cfb.ts'
import { Shake128 } from '../../../crypto/shake128.ts'
import { fakeRandom } from '../../../testing/fakes.ts'
import { type BodyScheme, createOpener, createSealer, type Security } from './body.ts'
import { expandChachaKey } from './body-keys.ts'
import { NonceCounter } from './nonce.ts'
import { ShakePadding } from './padding.ts'
import { MaskedSize } from './size.ts'

interface BodyVector {
  name?: string
  auth: 'aead' | 'legacy'
  direction: 'request' | 'response'
  transfer: 'stream' | 'packet'
  security: number
  security_name: string
  option: number
  body_key: string
  body_iv: string
  terminated: boolean
  response_v: number
  response_header_wire?: string
  plain_length: number
  plain_sha256: string
  write_lengths?: number[]
  write_rule?: string
  chunk_payload_lengths?: number[]
  chunk_padding_lengths?: number[]
  wire?: string
  wire_base64?: string
  wire_length: number
  wire_sha256: string
  wire_first64?: string
  wire_last64?: string
}

const { groups } = JSON.parse(
  readFileSync(new URL('../../../../test/vectors/vmess-core.json', import.meta.url), 'utf8'),
) as { groups: Record<string, { iv?: string; cases: unknown[] }> }
const casesOf = <T>(group: string): T[] => groups[group]!.cases as T[]
const bytes = (hex: string): Uint8Array => Buffer.from(hex, 'hex')

const securityNames: Record<number, Security> = {
  1: 'aes-128-cfb',
  3: 'aes-128-gcm',
  4: 'chacha20-poly1305',
  5: 'none',
}

const schemeOfVector = (vector: BodyVector): BodyScheme => ({
  security: securityNames[vector.security]!,
  options: optionsOf(vector.option),
  transfer: vector.transfer,
  requestKey: bytes(vector.body_key),
  requestIv: bytes(vector.body_iv),
})

/** In legacy authentication the answer's CFB stream begins with the response header. */
function continuedCfb(vector: BodyVector, direction: 'encrypt' | 'decrypt'): { cfb?: CfbStream } {
  if (vector.auth !== 'legacy' || vector.direction !== 'response' || vector.security !== 1) return {}
  const { key, iv } = directionKeys(schemeOfVector(vector), 'response', 'legacy')
  const cfb = createCfb(direction, key, iv)
  const plain = Uint8Array.of(vector.response_v, 0, 0, 0)
  const sealed = bytes(vector.response_header_wire!)
  const result = new Uint8Array(4)
  cfb.update(direction === 'encrypt' ? plain : sealed, result, 0)
  expect(result).toEqual(new Uint8Array(direction === 'encrypt' ? sealed : plain))
  return { cfb }
}

const openerOf = (vector: BodyVector, packet?: (datagram: Uint8Array) => void) =>
  createOpener(schemeOfVector(vector), {
    ...directionKeys(schemeOfVector(vector), vector.direction, vector.auth),
    ...continuedCfb(vector, 'decrypt'),
    ...(packet ? { packet } : {}),
  })

const sealerOf = (vector: BodyVector, random: Random) =>
  createSealer(schemeOfVector(vector), {
    ...directionKeys(schemeOfVector(vector), vector.direction, vector.auth),
    ...continuedCfb(vector, 'encrypt'),
    terminate: vector.terminated,
    random,
  })

/** Payload lengths of the chunks, or of the writes where there are no chunks; without the terminator. */
function pieceLengths(vector: BodyVector): number[] {
  const rule = /^(\d+) writes of (\d+) bytes?$/.exec(vector.write_rule ?? '')
  if (rule) return new Array<number>(Number(rule[1])).fill(Number(rule[2]))
  return (vector.chunk_payload_lengths ?? vector.write_lengths)!.filter((length) => length > 0)
}

function* pieces(vector: BodyVector): Iterable<Uint8Array> {
  const plain = plaintext(vector.plain_length)
  let at = 0
  for (const length of pieceLengths(vector)) {
    yield plain.subarray(at, at + length)
    at += length
  }
}

const recordedWire = (vector: BodyVector): Uint8Array | undefined => {
  if (vector.wire !== undefined) return bytes(vector.wire)
  return vector.wire_base64 === undefined ? undefined : Buffer.from(vector.wire_base64, 'base64')
}

/** The padding bytes in a recording, and their lengths: found by the lengths alone, without an opener. */
function recordedPadding(vector: BodyVector, wire: Uint8Array): { content: Uint8Array; lengths: number[] } {
  const { key, iv } = directionKeys(schemeOfVector(vector), vector.direction, vector.auth)
  const clear = new Uint8Array(wire)
  const { cfb = createCfb('decrypt', key, iv) } = continuedCfb(vector, 'decrypt')
  if (vector.security === 1) cfb.update(wire, clear, 0)
  const authenticated = (vector.option & 0x10) !== 0 && (vector.security === 3 || vector.security === 4)
  const overhead = { 1: 4, 3: 16, 4: 16, 5: 0 }[vector.security]!
  const shake = new Shake128(iv)
  const content: Uint8Array[] = []
  const lengths: number[] = []
  let at = 0
  for (const payload of [...pieceLengths(vector), ...(vector.terminated ? [0] : [])]) {
    const padding = shake.next() % 64
    if (vector.option & 0x04 && !authenticated) shake.next()
    at += (authenticated ? 18 : 2) + overhead + payload
    content.push(clear.subarray(at, at + padding))
    lengths.push(padding)
    at += padding
  }
  expect(at).toBe(wire.length)
  return { content: Buffer.concat(content), lengths }
}

/** A source of randomness that repeats what was recorded. */
function replay(recorded: Uint8Array): Random {
  let at = 0
  return {
    fill(into) {
      into.set(recorded.subarray(at, at + into.length))
      at += into.length
      return into
    },
    below: () => 0,
  }
}

const isPadded = (vector: BodyVector): boolean =>
  (vector.option & 0x08) !== 0 && !(vector.security === 5 && vector.transfer === 'stream')

function sealedWire(vector: BodyVector): Uint8Array {
  const wire = recordedWire(vector)
  if (!isPadded(vector)) return sealAll(sealerOf(vector, fakeRandom(1)), pieces(vector))
  const { content, lengths } = recordedPadding(vector, wire!)
  if (vector.chunk_padding_lengths) expect(lengths).toEqual(vector.chunk_padding_lengths)
  return sealAll(sealerOf(vector, replay(content)), pieces(vector))
}

const titleOf = (vector: BodyVector): string =>
  vector.name ??
  `${vector.security_name}, 0x${vector.option.toString(16).padStart(2, '0')}, ${vector.transfer} ${vector.direction}, ${vector.plain_length} bytes`

describe.each(['body_short', 'body_split', 'body_long', 'body_authenticated_length'])('%s', (group) => {
  it.each(
    casesOf<BodyVector>(group).map((vector, i) => [`${i}: ${titleOf(vector)}`, vector] as const),
  )('%s', (_title, vector) => {
    const sealed = sealedWire(vector)
    expect(sealed.length).toBe(vector.wire_length)
    expect(sha256Hex(sealed)).toBe(vector.wire_sha256)
    if (vector.wire_first64) expect(Buffer.from(sealed.subarray(0, 64)).toString('hex')).toBe(vector.wire_first64)
    if (vector.wire_last64) expect(Buffer.from(sealed.subarray(-64)).toString('hex')).toBe(vector.wire_last64)

    // Of the two with 65,600 chunks only the first splits are tried: there it is the counter that matters.
    const every = [whole, byteByByte, randomCuts(7, 40), randomCuts(8, 3000), randomCuts(9, 20_000)]
    const splits = vector.wire_length > 1_000_000 ? every.slice(3) : every
    for (const split of splits) {
      const datagrams: number[] = []
      const opener = openerOf(vector, (datagram) => datagrams.push(datagram.length))
      expect(sha256Hex(openAll(opener, recordedWire(vector) ?? sealed, split))).toBe(vector.plain_sha256)
      expect(datagrams).toEqual(vector.transfer === 'packet' ? pieceLengths(vector) : [])
      expect(opener.ended).toBe(vector.terminated)
      opener.end()
    }
  })
})

describe('parts', () => {
  it.each(casesOf<{ key16: string; key32: string }>('chacha_key'))('expands the ChaCha key $key16', (vector) => {
    expect(Buffer.from(expandChachaKey(bytes(vector.key16))).toString('hex')).toBe(vector.key32)
  })

  it('counts nonces and starts again', () => {
    const iv = new Uint8Array(bytes(groups.chunk_nonce!.iv!))
    const nonces = new NonceCounter(iv)
    iv.fill(0)
    const expected = new Map(
      casesOf<{ chunk_index: number; nonce: string }>('chunk_nonce').map((c) => [c.chunk_index, c.nonce]),
    )
    expect(expected.size).toBe(11)
    const last = Math.max(...expected.keys())
    for (let i = 0; i <= last; i++) {
      const nonce = nonces.next()
      if (expected.has(i)) expect(Buffer.from(nonce).toString('hex')).toBe(expected.get(i))
    }
  })

  it.each(casesOf<{ iv: string; u16: number[] }>('shake_mask'))('draws numbers from $iv', ({ iv, u16 }) => {
    const shake = new Shake128(bytes(iv))
    expect(u16.map(() => shake.next())).toEqual(u16)
  })

  interface PaddedSizes {
    iv: string
    chunks: { padding: number; masked_1000: string }[]
  }
  it.each(casesOf<PaddedSizes>('shake_padding_then_mask'))('draws padding before the mask: $iv', ({ iv, chunks }) => {
    const shake = new Shake128(bytes(iv))
    const padding = new ShakePadding(shake)
    const size = new MaskedSize(shake)
    for (const chunk of chunks) {
      const field = new Uint8Array(2)
      expect(padding.next()).toBe(chunk.padding)
      size.encode(1000, field, 0)
      expect(Buffer.from(field).toString('hex')).toBe(chunk.masked_1000)
    }
  })
})
