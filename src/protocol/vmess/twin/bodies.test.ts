/** The native twin beside the TypeScript: the same bytes, the same errors, in all pairings. */
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  byteByByte,
  openAll,
  optionSets,
  randomCuts,
  requestIv,
  requestKey,
  schemeOf,
  sealAll,
  whole,
} from '../../../../test/support/body.ts'
import { type Implementation, native, openerBy, sealerBy, skipped } from '../../../../test/support/twin.ts'
import { ProxyError } from '../../../core/errors.ts'
import { systemRandom } from '../../../crypto/random.ts'
import { fakeRandom } from '../../../testing/fakes.ts'
import type { BodyScheme } from '../body/body.ts'
import { chunkForm } from '../body/chunk-form.ts'
import { TwinSealer } from './sealer.ts'

const securities = ['aes-128-gcm', 'chacha20-poly1305'] as const
const both: readonly Implementation[] = ['native', 'typescript']
const sample = (length: number): Uint8Array => fakeRandom(length).fill(new Uint8Array(length))
const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0

/** What an opener makes of a wire, down to the words of its error. */
function outcome(by: Implementation, scheme: BodyScheme, wire: Uint8Array, cuts: (total: number) => Iterable<number>) {
  const datagrams: string[] = []
  const opener = openerBy(by, scheme, 'request', (datagram) => datagrams.push(Buffer.from(datagram).toString('hex')))
  const plain: Uint8Array[] = []
  let error = ''
  try {
    let at = 0
    for (const length of cuts(wire.length)) {
      plain.push(openAll(opener, wire.subarray(at, at + length)))
      at += length
    }
    opener.end()
  } catch (thrown) {
    if (!(thrown instanceof ProxyError)) throw thrown
    error = `${thrown.code}: ${thrown.message}`
    expect(() => opener.open(wire.subarray(0, 1), new Uint8Array(70_000))).toThrow(thrown.message)
  }
  return { plain: Buffer.concat(plain).toString('hex'), datagrams, error, ended: opener.ended, held: opener.room(0) }
}

describe.skipIf(!native)(`the native twin of bodies${skipped}`, () => {
  describe.each(securities)('%s', (security) => {
    it.each(optionSets)('writes and reads streams as TypeScript does, options %i', (bits) => {
      const scheme = schemeOf(security, bits)
      const pieces = [0, 1, 2, 16_367, 16_368, 16_369, 50_000].map(sample)
      for (const direction of ['request', 'response'] as const) {
        const [wire, other] = both.map((by) => sealAll(sealerBy(by, scheme, direction, fakeRandom(5)), pieces))
        expect(same(wire!, other!)).toBe(true)
        for (const by of both) {
          const opener = openerBy(by, scheme, direction)
          expect(same(openAll(opener, wire!, randomCuts(bits + 1, 20_000)), Buffer.concat(pieces))).toBe(true)
          expect(opener.ended).toBe(scheme.options.chunkStream)
          opener.end()
        }
      }
    })

    it.each(optionSets)('writes and reads datagrams as TypeScript does, options %i', (bits) => {
      const scheme = schemeOf(security, bits, 'packet')
      const datagrams = [1, 1400, 0, 2, 16_369, 65_535 - 16 - 63].map(sample)
      const [wire, other] = both.map((by) => sealAll(sealerBy(by, scheme, 'request', fakeRandom(5)), datagrams))
      expect(same(wire!, other!)).toBe(true)
      for (const cuts of [whole, randomCuts(bits + 3, 3000)]) {
        expect(outcome('native', scheme, wire!, cuts)).toEqual(outcome('typescript', scheme, wire!, cuts))
      }
    })
  })

  it('opens messages of every length as TypeScript sealed them, where they lie, and none that was changed', () => {
    const scheme = schemeOf('aes-128-gcm', 0x01, 'packet')
    const before = 2
    for (let length = 1; length < 700; length++) {
      const plain = sample(length)
      const sealed = sealAll(sealerBy('typescript', scheme, 'request', fakeRandom(1)), [plain], true)
      expect(same(sealAll(sealerBy('native', scheme, 'request', fakeRandom(1)), [plain], true), sealed)).toBe(true)
      // The plaintext goes where the size field was: it is written over what has been read only.
      const wire = new Uint8Array(sealed)
      expect(openerBy('native', scheme, 'request').open(wire, wire)).toBe(length)
      expect(same(wire.subarray(0, length), plain)).toBe(true)
      const changed = new Uint8Array(sealed)
      changed[before + ((length * 7) % (changed.length - before))]! ^= 1 << (length % 8)
      expect(() => openerBy('native', scheme, 'request').open(changed, new Uint8Array(800))).toThrow('authenticate')
    }
  })

  it('gives the same in any split, for any bytes', () => {
    const body = fc.record({
      security: fc.constantFrom(...securities),
      bits: fc.constantFrom(...optionSets),
      transfer: fc.constantFrom<'stream' | 'packet'>('stream', 'packet'),
      pieces: fc.array(fc.uint8Array({ maxLength: 120 }), { maxLength: 12 }),
      longest: fc.integer({ min: 1, max: 200 }),
      seed: fc.nat(),
      changes: fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 2 }),
      cut: fc.nat(40),
    })
    fc.assert(
      fc.property(body, ({ security, bits, transfer, pieces, longest, seed, changes, cut }) => {
        const scheme = schemeOf(security, bits, transfer)
        const wire = sealAll(sealerBy('native', scheme, 'request', fakeRandom(seed)), pieces)
        for (const [at, bit] of changes) if (wire.length > 0) wire[at % wire.length]! ^= bit
        const cutOff = wire.subarray(0, Math.max(0, wire.length - (cut > 20 ? 0 : cut)))
        const cuts = randomCuts(seed, longest)
        expect(outcome('native', scheme, cutOff, cuts)).toEqual(outcome('typescript', scheme, cutOff, cuts))
      }),
      { numRuns: 500, seed: 1 },
    )
  })

  it('opens more datagrams in a batch than it notes at a time, and one opener inside another', () => {
    const scheme = schemeOf('aes-128-gcm', 0x0d, 'packet')
    const datagrams = Array.from({ length: 1300 }, (_, i) => sample(1 + (i % 7)))
    const wire = sealAll(sealerBy('native', scheme, 'request', fakeRandom(2)), datagrams)
    const seen: Uint8Array[] = []
    const inner: Uint8Array[] = []
    const opener = openerBy('native', scheme, 'request', (datagram) => {
      seen.push(new Uint8Array(datagram))
      if (seen.length % 600 > 0) return
      const nested = openerBy('native', scheme, 'request', (within) => inner.push(new Uint8Array(within)))
      nested.open(wire, new Uint8Array(wire.length))
    })
    opener.open(wire, new Uint8Array(wire.length))
    expect(seen).toEqual(datagrams)
    expect(inner).toEqual([...datagrams, ...datagrams])
    expect(opener.ended).toBe(true)
  })

  it('fills the padding itself where the generator is that of the system', () => {
    const scheme = schemeOf('aes-128-gcm', 0x0d)
    const direction = { key: requestKey, iv: requestIv, terminate: true, random: systemRandom }
    const plain = sample(300_000)
    const wires = [1, 2].map(() => sealAll(new TwinSealer(native!, chunkForm(scheme), scheme, direction), [plain]))
    expect(wires[0]!.length).toBe(wires[1]!.length)
    expect(same(wires[0]!, wires[1]!)).toBe(false)
    for (const wire of wires) expect(same(openAll(openerBy('typescript', scheme, 'request'), wire), plain)).toBe(true)
  })

  it('reads byte by byte', () => {
    const scheme = schemeOf('chacha20-poly1305', 0x1d)
    const wire = sealAll(sealerBy('typescript', scheme, 'request', fakeRandom(2)), [sample(40), sample(3)])
    expect(outcome('native', scheme, wire, byteByByte)).toEqual(outcome('typescript', scheme, wire, byteByByte))
  })

  it('does not mix up bodies that take turns, more than it has places for', () => {
    const schemes = Array.from({ length: 200 }, (_, i) => ({
      ...schemeOf(securities[i % 2]!, 0x0d),
      requestKey: sample(1000 + i).subarray(0, 16),
      requestIv: sample(2000 + i).subarray(0, 16),
    }))
    const sealers = schemes.map((scheme) => sealerBy('native', scheme, 'request', fakeRandom(1)))
    const openers = schemes.map((scheme, i) => openerBy(both[i % 3 === 0 ? 1 : 0]!, scheme, 'request'))
    for (let turn = 0; turn < 5; turn++) {
      for (const [i, sealer] of sealers.entries()) {
        const plain = sample(turn * 200 + i)
        expect(same(openAll(openers[i]!, sealAll(sealer, [plain], true)), plain)).toBe(true)
      }
    }
  })
})

describe.skipIf(!native)(`memory that does not fit${skipped}`, () => {
  const scheme = schemeOf('aes-128-gcm', 0x0d)
  const twin = native!
  const state = () => new Int32Array(82)

  it('is refused, and nothing is written outside of it', () => {
    for (let room = 0; room < 140; room++) {
      const sealer = sealerBy('native', scheme, 'request', fakeRandom(3))
      const memory = new Uint8Array(400).fill(0xa5)
      const into = memory.subarray(100, 100 + room)
      let end = 0
      try {
        end = sealer.seal(sample(50), into, 2)
      } catch (error) {
        expect(error).toBeInstanceOf(RangeError)
      }
      expect(end).toBeLessThanOrEqual(room)
      expect(memory.subarray(0, 100).every((byte) => byte === 0xa5)).toBe(true)
      expect(memory.subarray(100 + room).every((byte) => byte === 0xa5)).toBe(true)
    }
    const wire = sealAll(sealerBy('native', scheme, 'request', fakeRandom(3)), [sample(50)])
    for (let room = 0; room < 50; room++) {
      const memory = new Uint8Array(200).fill(0xa5)
      const opener = openerBy('native', scheme, 'request')
      expect(() => opener.open(wire, memory.subarray(10, 10 + room))).toThrow(RangeError)
      expect(memory.subarray(0, 10).every((byte) => byte === 0xa5)).toBe(true)
      expect(memory.subarray(10 + room).every((byte) => byte === 0xa5)).toBe(true)
    }
  })

  it('that was detached has no room', () => {
    const into = new Uint8Array(1000)
    structuredClone(into, { transfer: [into.buffer] })
    expect(() => sealerBy('native', scheme, 'request', fakeRandom(3)).seal(sample(5), into, 0)).toThrow(RangeError)
    const words = state()
    structuredClone(words, { transfer: [words.buffer] })
    expect(() => twin.sealBody(words, sample(5), 100, new Uint8Array(500), 0, false)).toThrow(RangeError)
  })

  it('a changed plaintext that did not authenticate is not left behind', () => {
    const plain = sample(50)
    const wire = sealAll(sealerBy('native', schemeOf('aes-128-gcm', 0x01), 'request', fakeRandom(3)), [plain])
    wire[60]! ^= 1
    const into = new Uint8Array(200)
    expect(() => openerBy('native', schemeOf('aes-128-gcm', 0x01), 'request').open(wire, into)).toThrow('authenticate')
    expect(into.every((byte) => byte === 0)).toBe(true)
  })

  it.each([
    ['a state that is too small', () => twin.sealBody(new Int32Array(81), sample(5), 9, new Uint8Array(99), 0, true)],
    [
      'a state off its alignment',
      () =>
        twin.openBody(
          new Int32Array(new ArrayBuffer(400), 4),
          undefined,
          sample(5),
          0,
          new Uint8Array(9),
          0,
          undefined,
        ),
    ],
    ['an offset behind the end', () => twin.sealBody(state(), sample(5), 9, new Uint8Array(99), 4_000_000_000, true)],
    ['a chunk of no length', () => twin.sealBody(state(), sample(5), 0, new Uint8Array(99), 0, true)],
    ['a chunk that no field can name', () => twin.sealBody(state(), sample(5), 65_520, new Uint8Array(99), 0, true)],
    [
      'a place behind the batch',
      () => twin.openBody(state(), undefined, sample(5), 6, new Uint8Array(9), 0, undefined),
    ],
  ])('%s is out of range', (_what, call) => expect(call).toThrow(RangeError))

  it('of another type is refused', () => {
    const call = twin.sealBody as (...values: unknown[]) => number
    const good: unknown[] = [state(), sample(5), 100, new Uint8Array(500), 0, false]
    expect(call(...good)).toBeGreaterThan(20)
    for (let i = 0; i < good.length; i++) {
      for (const wrong of [
        undefined,
        null,
        'text',
        {},
        new Uint16Array(9),
        new DataView(new ArrayBuffer(9)),
        1n,
        Symbol('s'),
      ]) {
        expect(() => call(...good.with(i, wrong))).toThrow(TypeError)
      }
      expect(() => call(...good.slice(0, i))).toThrow(TypeError)
    }
  })
})
