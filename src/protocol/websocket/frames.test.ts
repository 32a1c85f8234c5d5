import { describe, expect, it } from 'vitest'
import { limits } from '../../core/limits.ts'
import { fakeRandom } from '../../testing/fakes.ts'
import { acceptFor, newKey } from './accept.ts'
import { opcodes } from './frame.ts'
import { FrameReader } from './frame-reader.ts'
import { FrameWriter, normalClosure } from './frame-writer.ts'
import { mask } from './mask.ts'

const bytesOf = (length: number, seed = 1): Uint8Array => new Uint8Array(length).map((_, i) => i * 31 + seed)
const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'))
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1')
const codeOf = (run: () => unknown): unknown => {
  try {
    run()
  } catch (error) {
    return (error as { code?: string }).code
  }
}

function written(writer: FrameWriter, bytes: Uint8Array): Uint8Array {
  const into = new Uint8Array(writer.room(bytes.length))
  return into.subarray(0, writer.write(bytes, into))
}

/** Everything that comes out when `wire` is cut into pieces. */
function readIn(reader: FrameReader, wire: Uint8Array, pieceOf: () => number): Buffer {
  const parts: Uint8Array[] = []
  for (let at = 0; at < wire.length; ) {
    const piece = wire.slice(at, at + pieceOf())
    at += piece.length
    parts.push(reader.read(piece).slice())
  }
  return Buffer.concat(parts)
}

describe('the mask', () => {
  it('is the same at every place, length and phase, and leaves the bytes around it alone', () => {
    const key = hex('a1 b2 c3 d4')
    for (const length of [0, 1, 3, 63, 64, 65, 70, 200]) {
      for (let at = 0; at < 8; at++) {
        for (let phase = 0; phase < 4; phase++) {
          const bytes = bytesOf(length + 20)
          const expected = bytes.map((byte, i) =>
            i >= at && i < at + length ? byte ^ key[(i - at + phase) & 3]! : byte,
          )
          mask(bytes, at, at + length, key, phase)
          expect(Buffer.compare(bytes, expected)).toBe(0)
        }
      }
    }
  })
})

describe('frames of RFC 6455, section 5.7', () => {
  it('are read: unmasked, in fragments with a Ping between, with each form of length', () => {
    const reader = new FrameReader({ masked: false })
    expect(text(reader.read(hex('81 05 48 65 6c 6c 6f')))).toBe('Hello')
    expect(text(reader.read(hex('01 03 48 65 6c  89 05 48 65 6c 6c 6f  80 02 6c 6f')))).toBe('Hello')
    expect(text(reader.takePing()!)).toBe('Hello')
    expect(reader.takePing()).toBeUndefined()
    const short = bytesOf(256)
    expect(reader.read(Buffer.concat([hex('82 7e 0100'), short]))).toEqual(Buffer.from(short))
    const long = bytesOf(65_536)
    expect(Buffer.compare(reader.read(Buffer.concat([hex('82 7f 0000000000010000'), long])), long)).toBe(0)
    reader.end()
  })

  it('are read masked', () => {
    const reader = new FrameReader({ masked: true })
    expect(text(reader.read(hex('81 85 37 fa 21 3d 7f 9f 4d 51 58')))).toBe('Hello')
  })

  it('are written, and control frames too', () => {
    expect(written(new FrameWriter(), hex('01 02'))).toEqual(hex('82 02 01 02'))
    const client = new FrameWriter(fakeRandom(1))
    const frame = client.control(opcodes.close, normalClosure)
    expect(frame.length).toBe(8)
    const reader = new FrameReader({ masked: true })
    expect(reader.read(frame)).toHaveLength(0)
    expect(reader.ended).toBe(true)
    expect(written(client, new Uint8Array(0))).toHaveLength(0)
  })
})

describe.each([{ masked: true }, { masked: false }])('a stream, masked: $masked', ({ masked }) => {
  const writerOf = () => new FrameWriter(masked ? fakeRandom(7) : undefined)

  it('comes out as it went in, cut anywhere, in frames of at most the limit', () => {
    const random = fakeRandom(3)
    for (const length of [1, 125, 126, 65_535, 65_536, 200_000]) {
      const plain = bytesOf(length)
      const wire = written(writerOf(), plain)
      expect(wire.length).toBe(length + frameCost(length, masked))
      for (const most of [1, 17, 5_000, 1_000_000]) {
        if (most === 1 && length > 1_000) continue
        const reader = new FrameReader({ masked })
        expect(
          Buffer.compare(
            readIn(reader, wire, () => 1 + random.below(most)),
            plain,
          ),
        ).toBe(0)
        reader.end()
      }
    }
  })

  it('is moved together from small frames in one batch, around control frames', () => {
    const writer = writerOf()
    const parts = [bytesOf(300, 1), bytesOf(2, 2), bytesOf(1_000, 3)]
    const wire = Buffer.concat([
      writer.control(opcodes.pong, hex('00')),
      written(writer, parts[0]!),
      writer.control(opcodes.ping, hex('01')),
      written(writer, parts[1]!),
      writer.control(opcodes.ping, hex('02 03')),
      written(writer, parts[2]!),
    ])
    const reader = new FrameReader({ masked })
    expect(Buffer.compare(reader.read(wire), Buffer.concat(parts))).toBe(0)
    expect(reader.takePing()).toEqual(hex('02 03'))
  })

  it('is over with a Close, whatever follows, and TRUNCATED inside a frame', () => {
    const writer = writerOf()
    const reader = new FrameReader({ masked })
    const close = writer.control(opcodes.close, normalClosure)
    expect(reader.read(Buffer.concat([written(writer, hex('05')), close, hex('ff ff')]))).toEqual(Buffer.from([5]))
    expect(reader.ended).toBe(true)
    expect(reader.read(hex('ff'))).toHaveLength(0)
    reader.end()
    const wire = written(writer, bytesOf(10))
    for (let length = 1; length < wire.length; length++) {
      const cut = new FrameReader({ masked })
      cut.read(wire.slice(0, length))
      expect(codeOf(() => cut.end())).toBe('TRUNCATED')
    }
  })
})

const frameCost = (length: number, masked: boolean): number => {
  let cost = 0
  for (let left = length; left > 0; left -= limits.webSocketFrame) {
    cost += (Math.min(left, limits.webSocketFrame) > 125 ? 4 : 2) + (masked ? 4 : 0)
  }
  return cost
}

it('what a Close says decides: nothing or 1000 is an end, another code a failure', () => {
  const endOf = (wire: string) => {
    const reader = new FrameReader({ masked: false })
    return codeOf(() => reader.read(hex(wire))) ?? reader.ended
  }
  expect(endOf('88 00')).toBe(true)
  expect(endOf('88 02 03 e8')).toBe(true)
  expect(endOf('88 03 03 e8 41')).toBe(true)
  expect(endOf('88 02 03 e9')).toBe('CONN_RESET')
  expect(endOf('88 02 03 f3')).toBe('CONN_RESET')
})

it.each([
  ['a reserved bit', false, 'c2 00'],
  ['an unknown opcode', false, '83 00'],
  ['an unknown control opcode', false, '8b 00'],
  ['a mask from a server', false, '82 80 00 00 00 00'],
  ['no mask from a client', true, '82 00'],
  ['a control frame in pieces', false, '09 00'],
  ['a long control frame', false, '89 7e 00 80'],
  ['a continuation of nothing', false, '80 00'],
  ['a message within a message', false, '02 00 82 00'],
  ['an impossible length', false, '82 7f ff ff ff ff ff ff ff ff'],
])('refuses %s', (_, masked, wire) => {
  expect(codeOf(() => new FrameReader({ masked }).read(hex(wire)))).toBe('WEBSOCKET_MALFORMED')
})

it('the answer to a key is that of RFC 6455, section 1.3', () => {
  expect(acceptFor('dGhlIHNhbXBsZSBub25jZQ==')).toBe('s3pPLMBiTxaQ9kYGzzhZRbK+xOo=')
  expect(Buffer.from(newKey(fakeRandom(1)), 'base64')).toHaveLength(16)
})
