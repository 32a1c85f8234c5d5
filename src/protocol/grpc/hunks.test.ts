import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { limits } from '../../core/limits.ts'
import { HunkReader } from './hunk-reader.ts'
import { hunkRoom, writeHunks } from './hunk-writer.ts'

const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'))
const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1')
const message = (body: string): Uint8Array => {
  const bytes = hex(body)
  return Uint8Array.of(0, 0, 0, bytes.length >>> 8, bytes.length & 0xff, ...bytes)
}
const codeOf = (run: () => unknown): unknown => {
  try {
    run()
  } catch (error) {
    return (error as { code?: string }).code
  }
}

function written(bytes: Uint8Array): Uint8Array {
  const into = new Uint8Array(hunkRoom(bytes.length))
  return into.slice(0, writeHunks(bytes, into))
}

/** Everything that comes out when `wire` is cut into pieces. */
function readIn(reader: HunkReader, wire: Uint8Array, sizes: readonly number[]): Buffer {
  const parts: Uint8Array[] = []
  for (let at = 0, i = 0; at < wire.length; i++) {
    const piece = wire.slice(at, at + (sizes[i % sizes.length] ?? 1))
    at += piece.length
    parts.push(reader.read(piece).slice())
  }
  return Buffer.concat(parts)
}

describe('messages of gRPC', () => {
  it('are those of the specification', () => {
    expect(Buffer.from(written(Buffer.from('hello'))).toString('hex')).toBe('00000000070a0568656c6c6f')
    expect(text(new HunkReader().read(hex('0000000007 0a05 68656c6c6f')))).toBe('hello')
    expect(text(new HunkReader().read(hex('0000000007 0a026162 0a0163')))).toBe('abc')
  })

  it('carry any bytes, cut anywhere, in messages of at most 32 KiB, none of them empty', () => {
    const bytes = fc
      .uint8Array({ maxLength: 300 })
      .chain((seed) =>
        fc.integer({ min: 0, max: 300 }).map((times) => Buffer.concat(Array.from({ length: times }, () => seed))),
      )
    const sizes = fc.array(fc.integer({ min: 1, max: 40_000 }), { minLength: 1, maxLength: 5 })
    fc.assert(
      fc.property(bytes, sizes, (data, cuts) => {
        const wire = written(data)
        expect(wire.length).toBeLessThanOrEqual(hunkRoom(data.length))
        for (let at = 0; at < wire.length; ) {
          const length = Buffer.from(wire.buffer, wire.byteOffset).readUInt32BE(at + 1)
          expect(length).toBeGreaterThan(2)
          expect(length).toBeLessThanOrEqual(limits.grpcMessage)
          at += 5 + length
        }
        const reader = new HunkReader()
        expect(Buffer.compare(readIn(reader, wire, cuts), data)).toBe(0)
        reader.end()
      }),
      { numRuns: 200 },
    )
  })

  it('have lengths of one, two and three bytes', () => {
    for (const length of [1, 127, 128, 16_383, 16_384, limits.grpcMessage - 4, limits.grpcMessage - 3, 100_000]) {
      const data = new Uint8Array(length).map((_, i) => i * 7)
      expect(Buffer.compare(readIn(new HunkReader(), written(data), [9_999]), data)).toBe(0)
    }
  })

  it('may be empty, and have empty elements and unknown fields', () => {
    const reader = new HunkReader()
    const wire = Buffer.concat([
      message(''),
      message('0a00'),
      message('10ffffffffffffffffff01 0a0141 19 0102030405060708 25 01020304 22 03 aabbcc 0a00 0a0142'),
    ])
    for (const size of [1, 3, 100]) expect(readIn(reader, wire, [size]).toString()).toBe('AB')
    reader.end()
  })

  it('of 4 MiB are taken, and larger ones are not', () => {
    const most = limits.grpcMessageMax
    const head = (length: number) =>
      Uint8Array.of(0, length >>> 24, (length >>> 16) & 255, (length >>> 8) & 255, length & 255)
    expect(new HunkReader().read(head(most)).length).toBe(0)
    expect(codeOf(() => new HunkReader().read(head(most + 1)))).toBe('GRPC_MALFORMED')
  })

  it.each([
    ['compressed', '01'],
    ['of an unknown flag', '02'],
    ['with a field of number 0', '00000000020 201'.replace(' ', '')],
    ['with a group', '0000000001 0b'],
    ['with a field that is longer than the message', '0000000003 0a0241'],
    ['with a number that is longer than the message', '0000000001 0a'.concat('80').concat('80')],
    ['with a number of more than ten bytes', '000000000c 10ffffffffffffffffffffff'],
    ['with fixed bytes that are longer than the message', '0000000003 19 0102'],
  ])('%s make no sense', (_, wire) => {
    for (const size of [1, 50]) expect(codeOf(() => readIn(new HunkReader(), hex(wire), [size]))).toBe('GRPC_MALFORMED')
  })

  it('end between two of them, not inside', () => {
    for (const wire of ['00', '0000000007', '0000000007 0a', '0000000007 0a05', '0000000007 0a05 68']) {
      const reader = new HunkReader()
      reader.read(hex(wire))
      expect(codeOf(() => reader.end())).toBe('TRUNCATED')
    }
  })
})
