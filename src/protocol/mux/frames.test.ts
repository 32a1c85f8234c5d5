import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { decodeFrames, framesInto, type SeenFrame } from '../../../test/support/mux.ts'
import { concat, fromHex, sameBytes, toHex } from '../../../test/support/vectors.ts'
import { keyedBlake3 } from '../../crypto/blake3.ts'
import { FrameEncoder, writeEnd } from './frame-encoder.ts'
import { globalId, globalIdKey } from './global-id.ts'

const target = { host: 'example.com', port: 443 }

/** What one call writes, at an odd offset of a larger buffer. */
function written(room: number, write: (into: Uint8Array, at: number) => number): Uint8Array {
  const into = new Uint8Array(room + 9).fill(0xa5)
  const end = write(into, 3)
  expect(end).toBeLessThanOrEqual(3 + room)
  expect([...into.subarray(0, 3), ...into.subarray(end)].every((byte) => byte === 0xa5)).toBe(true)
  return into.slice(3, end)
}

const host = fc.oneof(fc.constant('192.0.2.1'), fc.constant('2001:db8::7'), fc.constant('a.example'))
const address = fc.record({ host, port: fc.nat(65_535) })
const data = fc.uint8Array({ minLength: 1, maxLength: 40 })
const cuts = fc.array(fc.nat(60), { maxLength: 60 })

function* cutBy(bytes: Uint8Array, lengths: readonly number[]): Iterable<Uint8Array> {
  let at = 0
  for (const length of lengths) {
    yield bytes.subarray(at, at + length)
    at = Math.min(bytes.length, at + length)
  }
  yield bytes.subarray(at)
}

describe('a sub-stream', () => {
  it('comes out of any split as it went in', () => {
    fc.assert(
      fc.property(fc.nat(65_535), address, fc.array(data, { maxLength: 6 }), cuts, (session, to, pieces, lengths) => {
        const encoder = new FrameEncoder(session, { network: 'tcp', target: to })
        const wire = concat(
          ...pieces.map((piece) => written(encoder.room(piece.length), (into, at) => encoder.stream(piece, into, at))),
          written(encoder.room(0), (into, at) => encoder.end(into, at)),
        )
        const seen = decodeFrames([...cutBy(wire, lengths)])
        expect(seen[0]).toMatchObject({ session, status: 'new', network: 'tcp', address: to })
        expect(seen.at(-1)).toMatchObject({ session, status: 'end', error: false })
        sameBytes(concat(...seen.map((frame) => frame.data)), concat(...pieces))
      }),
    )
  })

  it('carries datagrams with their addresses', () => {
    const packets = fc.array(fc.record({ to: address, bytes: data }), { minLength: 1, maxLength: 6 })
    fc.assert(
      fc.property(packets, cuts, fc.boolean(), (sent, lengths, named) => {
        const id = Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8)
        const opening = { network: 'udp', target: sent[0]!.to, ...(named && { globalId: id }) } as const
        const encoder = new FrameEncoder(0, opening)
        const wire = concat(
          ...sent.map(({ to, bytes }) =>
            written(encoder.room(bytes.length), (into, at) => encoder.datagram(bytes, into, at, to)),
          ),
        )
        const seen = decodeFrames([...cutBy(wire, lengths)], () => 'whole')
        expect(seen.map((frame) => ({ to: frame.address, bytes: toHex(frame.data) }))).toEqual(
          sent.map(({ to, bytes }) => ({ to, bytes: toHex(bytes) })),
        )
        expect(seen[0]!.globalId).toEqual(named ? id : undefined)
      }),
    )
  })

  it('gives a datagram that was cut in one piece, and a stream as it comes', () => {
    const encoder = new FrameEncoder(5)
    const wire = written(encoder.room(9), (into, at) => encoder.datagram(new Uint8Array(9).fill(7), into, at))
    for (const [use, expected] of [
      ['whole', [0, 9]],
      ['pieces', [4, 9]],
      ['skip', [0, 0]],
    ] as const) {
      const seen: SeenFrame[] = []
      const decoder = framesInto(seen, () => use)
      const lengths = [wire.subarray(0, 12), wire.subarray(12)].map((piece) => {
        decoder.push(piece)
        return seen[0]!.data.length
      })
      expect(lengths).toEqual(expected)
      expect(decoder.held).toBe(0)
    }
  })

  it('is opened without data, and ended right after that', () => {
    const encoder = new FrameEncoder(2, { network: 'udp', target, globalId: new Uint8Array(8).fill(9) })
    const wire = written(encoder.room(0), (into, at) => encoder.end(into, at, true))
    expect(toHex(wire)).toBe('001400020100' + '0201bb020b6578616d706c652e636f6d' + '000400020302')
    expect(encoder).toMatchObject({ opened: true, ended: true })
    expect(encoder.open(new Uint8Array(0), 0)).toBe(0)
  })

  it('refuses what cannot be carried', () => {
    expect(() => new FrameEncoder(1, { network: 'tcp', target: { host: 'a b', port: 1 } })).toThrow(
      expect.objectContaining({ code: 'ADDRESS_INVALID' }),
    )
    const encoder = new FrameEncoder(1)
    const big = new Uint8Array(65_536)
    expect(() => encoder.datagram(big, new Uint8Array(encoder.room(big.length)), 0)).toThrow(
      expect.objectContaining({ code: 'DATAGRAM_TOO_LARGE' }),
    )
    encoder.end(new Uint8Array(8), 0)
    expect(() => encoder.stream(big, big, 0)).toThrow(expect.objectContaining({ code: 'PROTOCOL_MISUSE' }))
  })
})

describe('what makes no sense', () => {
  it.each([
    ['metadata of 3 bytes', '0003000104'],
    ['metadata of 513 bytes', '0201'],
    ['an unknown status', '000400010500'],
  ])('%s ends the carrier, and goes on doing so', (_what, hex) => {
    const decoder = framesInto([])
    const again = { code: 'MUX_MALFORMED' }
    expect(() => decoder.push(fromHex(hex))).toThrow(expect.objectContaining(again))
    expect(() => decoder.push(fromHex('000400000400'))).toThrow(expect.objectContaining(again))
    expect(() => decoder.end()).toThrow(expect.objectContaining(again))
    expect(decoder.held).toBe(0)
  })

  it.each([
    ['network 3', '000c000101000300350108080808'],
    ['address type 4', '000c000101000100350408080808'],
    ['a bad character', '000c000101000100350203612062'],
    ['no target', '0004000101 00'],
    ['half a target', '00080001010001003501'],
    ['an empty domain', '0009000101000100350200'],
    ['a domain longer than its metadata', '000a00010100010035020561'],
  ])('a new sub-stream with %s is marked, and what follows is read', (_what, hex) => {
    const wire = concat(fromHex(hex.replaceAll(' ', '')), fromHex('000400090300'))
    const [refused, next] = decodeFrames([wire])
    expect(refused).toMatchObject({ session: 1, status: 'new', malformed: expect.any(String) })
    expect(next).toMatchObject({ session: 9, status: 'end' })
  })

  it('an end inside a frame is told', () => {
    for (const cut of [1, 2, 5, 7, 9]) {
      const decoder = framesInto([])
      decoder.push(fromHex('0004000102010002aabb').subarray(0, cut))
      expect(() => decoder.end(), `${cut} bytes`).toThrow(expect.objectContaining({ code: 'TRUNCATED' }))
    }
  })
})

describe('tolerance', () => {
  it('takes unknown options, data of no bytes, and whatever stands behind the metadata of Keep and End', () => {
    const wire = ['000400010 2fd0000', '0006000103 00ffff', '0005000102 0001', '00080000040101bb02ff0001aa']
    const seen = decodeFrames([fromHex(wire.join('').replaceAll(' ', ''))])
    expect(seen.map(({ status, session, dataLength }) => [status, session, dataLength])).toEqual([
      ['keep', 1, 0],
      ['end', 1, 0],
      ['keep', 1, 0],
      ['keepAlive', 0, 1],
    ])
    expect(seen.every((frame) => !frame.malformed && !frame.address)).toBe(true)
  })

  it('marks a Keep that names an impossible destination', () => {
    const [frame] = decodeFrames([fromHex('0008000102010200350900 01aa'.replaceAll(' ', ''))])
    expect(frame).toMatchObject({ status: 'keep', malformed: 'an impossible address', data: Uint8Array.of(0xaa) })
  })
})

it('End is written for sessions that nobody knows', () => {
  const into = new Uint8Array(6)
  expect(writeEnd(into, 0, 0x1234, true)).toBe(6)
  expect(toHex(into)).toBe('000412340302')
})

describe('GlobalID', () => {
  it('differs by user and socket', () => {
    const key = new Uint8Array(32).fill(5)
    const keyOf = (user: number) => globalIdKey(keyedBlake3, key, Uint8Array.of(user))
    const ids = [1, 2].flatMap((user) =>
      ['10.0.0.1:1', '10.0.0.1:2'].map((source) => toHex(globalId(keyedBlake3, keyOf(user), source))),
    )
    expect(new Set(ids).size).toBe(4)
    expect(toHex(globalId(keyedBlake3, keyOf(1), '10.0.0.1:1'))).toBe(ids[0])
  })
})
