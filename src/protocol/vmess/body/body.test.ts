import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  byteByByte,
  directionKeys,
  openAll,
  optionSets,
  randomCuts,
  requestIv,
  requestKey,
  schemeOf,
  sealAll,
  securities,
  whole,
} from '../../../../test/support/body.ts'
import { ProxyError } from '../../../core/errors.ts'
import { createAead } from '../../../crypto/aead.ts'
import { fakeRandom } from '../../../testing/fakes.ts'
import { type BodyOpener, type BodyScheme, createOpener, createSealer } from './body.ts'
import { lengthKey } from './body-keys.ts'

type Direction = 'request' | 'response'

const sealerOf = (scheme: BodyScheme, direction: Direction = 'request', terminate = true) =>
  createSealer(scheme, { ...directionKeys(scheme, direction), terminate, random: fakeRandom(5) })

const openerOf = (scheme: BodyScheme, direction: Direction = 'request', packet?: (datagram: Uint8Array) => void) =>
  createOpener(scheme, { ...directionKeys(scheme, direction), ...(packet ? { packet } : {}) })

const samples = new Map<number, Uint8Array>()
/** The same bytes for the same length, every time. */
function sample(length: number): Uint8Array {
  const known = samples.get(length) ?? fakeRandom(length).fill(new Uint8Array(length))
  samples.set(length, known)
  return known
}
const same = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0
const codeOf = (run: () => void): string | undefined => {
  try {
    run()
  } catch (error) {
    return error instanceof ProxyError ? error.code : String(error)
  }
  return undefined
}
const isFramed = (scheme: BodyScheme): boolean =>
  scheme.options.chunkStream || scheme.security === 'aes-128-gcm' || scheme.security === 'chacha20-poly1305'
const feed = (opener: BodyOpener, bytes: Uint8Array): Uint8Array => openAll(opener, bytes)

describe.each(securities)('%s', (security) => {
  describe.each(['request', 'response'] as const)('%s', (direction) => {
    it.each(optionSets)('carries a stream with options %i', (bits) => {
      const scheme = schemeOf(security, bits)
      const pieces = [0, 1, 16_367, 16_368, 16_369, 65_535, 300_000].map(sample)
      const wire = sealAll(sealerOf(scheme, direction), pieces)
      const opener = openerOf(scheme, direction)
      expect(same(openAll(opener, wire, randomCuts(bits + 1, 50_000)), Buffer.concat(pieces))).toBe(true)
      expect(opener.ended).toBe(scheme.options.chunkStream)
      expect(opener.room(0)).toBe(0)
      opener.end()
    })

    it.each(optionSets)('carries datagrams with options %i', (bits) => {
      const scheme = schemeOf(security, bits, 'packet')
      if (!isFramed(scheme)) return
      for (const [lengths, cuts] of [
        [[1, 1400, 16_368, 16_369, 65_535 - 16 - 63], whole],
        [[1, 1400, 16_368, 16_369, 65_535 - 16 - 63], randomCuts(bits + 1, 5000)],
        [[1, 1400, 2], byteByByte],
      ] as const) {
        const datagrams = lengths.map(sample)
        // There is no empty datagram on the wire: it is left out.
        const wire = sealAll(sealerOf(scheme, direction), [...datagrams, new Uint8Array(0)])
        const received: Uint8Array[] = []
        openAll(
          openerOf(scheme, direction, (datagram) => received.push(new Uint8Array(datagram))),
          wire,
          cuts,
        )
        expect(received.length).toBe(datagrams.length)
        expect(received.every((datagram, i) => same(datagram, datagrams[i]!))).toBe(true)
      }
    })
  })
})

it('carries any stream of any scheme in any split', () => {
  const body = fc.record({
    security: fc.constantFrom(...securities),
    bits: fc.constantFrom(...optionSets),
    transfer: fc.constantFrom('stream', 'packet'),
    direction: fc.constantFrom<Direction>('request', 'response'),
    pieces: fc.array(fc.uint8Array({ minLength: 1, maxLength: 200 }), { maxLength: 20 }),
    seed: fc.nat(),
    longest: fc.integer({ min: 1, max: 300 }),
  })
  fc.assert(
    fc.property(body, ({ security, bits, transfer, direction, pieces, seed, longest }) => {
      const scheme = schemeOf(security, bits, transfer as 'stream' | 'packet')
      const wire = sealAll(sealerOf(scheme, direction), pieces)
      const received: Uint8Array[] = []
      const opener = openerOf(scheme, direction, (datagram) => received.push(new Uint8Array(datagram)))
      const plain = openAll(opener, wire, randomCuts(seed, longest))
      expect(same(plain, Buffer.concat(pieces))).toBe(true)
      if (transfer === 'packet' && isFramed(scheme)) expect(received).toEqual(pieces)
      expect(opener.ended).toBe(scheme.options.chunkStream)
      opener.end()
    }),
    { numRuns: 1500, seed: 1 },
  )
})

describe('chunks', () => {
  it.each([
    ['aes-128-gcm', 16_368, 18],
    ['chacha20-poly1305', 16_368, 18],
    ['aes-128-cfb', 16_380, 6],
    ['none', 16_384, 2],
  ] as const)('%s: at most %i bytes of payload on a stream', (security, payload, overhead) => {
    const wire = sealAll(sealerOf(schemeOf(security, 0x01)), [sample(payload), sample(payload + 1)], true)
    expect(wire.length).toBe(2 * payload + 1 + 3 * overhead)
  })

  it.each(securities)('%s: a size of 65535 is accepted', (security) => {
    const overhead = { 'aes-128-gcm': 16, 'chacha20-poly1305': 16, 'aes-128-cfb': 4, none: 0 }[security]
    const plain = sample(65_535 - overhead)
    const wire = sealAll(sealerOf(schemeOf(security, 0x05, 'packet')), [plain])
    for (const cuts of [whole, randomCuts(3, 30_000)]) {
      expect(same(openAll(openerOf(schemeOf(security, 0x05)), wire, cuts), plain)).toBe(true)
    }
  })

  it.each(securities)('%s: a datagram that is too large changes nothing', (security) => {
    const scheme = schemeOf(security, 0x0d, 'packet')
    const overhead = { 'aes-128-gcm': 16, 'chacha20-poly1305': 16, 'aes-128-cfb': 4, none: 0 }[security]
    const max = 65_535 - overhead - 63
    const sealer = sealerOf(scheme)
    const twin = sealerOf(scheme)
    const into = new Uint8Array(70_000)
    expect(codeOf(() => sealer.seal(sample(max + 1), into, 0))).toBe('DATAGRAM_TOO_LARGE')
    expect(into.every((byte) => byte === 0)).toBe(true)
    expect(same(sealAll(sealer, [sample(max)]), sealAll(twin, [sample(max)]))).toBe(true)
  })

  it('random bytes fill the padding', () => {
    const drawn: number[] = []
    const random = {
      fill: <T extends Uint8Array>(bytes: T): T => {
        drawn.push(bytes.length)
        return bytes.fill(0x77)
      },
      below: () => 0,
    }
    const scheme = schemeOf('aes-128-gcm', 0x09)
    const sealer = createSealer(scheme, { key: requestKey, iv: requestIv, terminate: true, random })
    const wire = sealAll(sealer, [sample(10), sample(10), sample(10)])
    const padding = drawn.reduce((sum, length) => sum + length, 0)
    expect(padding).toBeGreaterThan(0)
    expect(wire.length).toBe(30 + 4 * 18 + padding)
    const lastPadding = drawn.at(-1)!
    expect([...wire.subarray(wire.length - lastPadding)]).toEqual(new Array(lastPadding).fill(0x77))
  })

  it('a stream of none takes no padding, a datagram does', () => {
    const sealed = (transfer: 'stream' | 'packet') =>
      sealAll(sealerOf(schemeOf('none', 0x0d, transfer)), new Array(20).fill(sample(5)))
    expect(sealed('stream').length).toBe(21 * 2 + 20 * 5)
    expect(sealed('packet').length).toBeGreaterThan(21 * 2 + 20 * 5)
  })

  it('none without framing is the bytes themselves', () => {
    expect(same(sealAll(sealerOf(schemeOf('none', 0x1c)), [sample(500)]), sample(500))).toBe(true)
  })

  it('authenticated lengths use the request key and IV also in the answer', () => {
    const scheme = schemeOf('aes-128-gcm', 0x15)
    const wire = sealAll(sealerOf(scheme, 'response'), [sample(100)])
    const foreign = { ...scheme, requestKey: new Uint8Array(16) }
    const opener = createOpener(foreign, directionKeys(scheme, 'response'))
    expect(codeOf(() => feed(opener, wire))).toBe('BODY_AUTH_FAILED')
    expect(same(feed(openerOf(scheme, 'response'), wire), sample(100))).toBe(true)
  })

  it('keys and IVs are not kept in the buffers they came in', () => {
    for (const security of securities) {
      const lent = (): BodyScheme => ({
        ...schemeOf(security, 0x1d),
        requestKey: Buffer.from(requestKey),
        requestIv: Buffer.from(requestIv),
      })
      const [mine, theirs] = [lent(), lent()]
      const sealer = createSealer(mine, {
        key: mine.requestKey,
        iv: mine.requestIv,
        terminate: true,
        random: fakeRandom(5),
      })
      const opener = createOpener(theirs, { key: theirs.requestKey, iv: theirs.requestIv })
      for (const scheme of [mine, theirs]) {
        scheme.requestKey.fill(0)
        scheme.requestIv.fill(0)
      }
      expect(
        same(feed(opener, sealAll(sealer, [sample(50), sample(60)])), Buffer.concat([sample(50), sample(60)])),
      ).toBe(true)
    }
  })
})

describe('the end', () => {
  const framedSchemes = securities.flatMap((security) =>
    [0x01, 0x05, 0x0d, 0x1d].map((bits) => [security, bits] as const),
  )

  it.each(framedSchemes)('%s, options %i: comes with the size field of the empty chunk', (security, bits) => {
    const scheme = schemeOf(security, bits)
    const sealer = sealerOf(scheme)
    const before = sealAll(sealer, [sample(30)], true)
    const wire = Buffer.concat([before, sealAll(sealer, [])])
    const field = bits & 0x10 && security !== 'none' && security !== 'aes-128-cfb' ? 18 : 2
    const opener = openerOf(scheme)
    expect(same(feed(opener, wire.subarray(0, before.length + field - 1)), sample(30))).toBe(true)
    expect(opener.ended).toBe(false)
    feed(opener, wire.subarray(before.length + field - 1, before.length + field))
    expect(opener.ended).toBe(true)
    opener.end()
    expect(feed(opener, Buffer.concat([wire.subarray(before.length + field), sample(1000)])).length).toBe(0)
    expect(opener.room(0)).toBe(0)
    opener.end()
  })

  it.each(framedSchemes)('%s, options %i: is orderly between chunks and nowhere else', (security, bits) => {
    const scheme = schemeOf(security, bits)
    const sealer = sealerOf(scheme)
    const borders = new Set([0])
    let wire = new Uint8Array(0)
    for (const length of [5, 1, 20]) {
      wire = Buffer.concat([wire, sealAll(sealer, [sample(length)], true)])
      borders.add(wire.length)
    }
    for (let length = 0; length <= wire.length; length++) {
      const opener = openerOf(scheme)
      feed(opener, wire.subarray(0, length))
      expect(codeOf(() => opener.end())).toBe(borders.has(length) ? undefined : 'TRUNCATED')
    }
  })

  it.each([
    ['aes-128-gcm', 0x04, true, false],
    ['chacha20-poly1305', 0x00, true, false],
    ['aes-128-gcm', 0x01, true, true],
    ['aes-128-gcm', 0x01, false, false],
    ['aes-128-cfb', 0x01, true, true],
    ['aes-128-cfb', 0x00, true, false],
    ['none', 0x05, true, true],
    ['none', 0x05, false, false],
    ['none', 0x00, true, false],
  ] as const)('%s, options %i, terminate %s: framed is %s', (security, bits, terminate, framed) => {
    const sealer = sealerOf(schemeOf(security, bits), 'request', terminate)
    expect(sealer.framed).toBe(framed)
    const wire = sealAll(sealer, [])
    expect(wire.length > 0).toBe(framed)
    expect(sealAll(sealer, []).length).toBe(0)
    expect(codeOf(() => sealAll(sealer, [sample(1)]))).toBe(framed ? 'PROTOCOL_MISUSE' : undefined)
  })
})

describe('damage', () => {
  it.each([
    ['aes-128-gcm', 0x0d],
    ['aes-128-gcm', 0x1d],
    ['chacha20-poly1305', 0x09],
    ['chacha20-poly1305', 0x1d],
  ] as const)('%s, options %i: no changed bit passes for data', (security, bits) => {
    const scheme = schemeOf(security, bits)
    const pieces = [sample(10), sample(40), sample(3)]
    const plain = Buffer.concat(pieces)
    const wire = sealAll(sealerOf(scheme), pieces, true)
    let refused = 0
    for (let bit = 0; bit < wire.length * 8; bit++) {
      const changed = new Uint8Array(wire)
      changed[bit >> 3]! ^= 1 << (bit & 7)
      const opener = openerOf(scheme)
      const opened: Uint8Array[] = []
      const code = codeOf(() => {
        for (const byte of changed) opened.push(feed(opener, Uint8Array.of(byte)))
      })
      // Padding is not authenticated, so its bits may change; nor is the length on its way unless the option asks for it.
      if (code !== undefined) refused++
      expect([undefined, 'BODY_AUTH_FAILED', 'BODY_MALFORMED']).toContain(code)
      expect(same(Buffer.concat(opened), plain.subarray(0, Buffer.concat(opened).length))).toBe(true)
    }
    expect(refused).toBeGreaterThan((plain.length + 3 * 16) * 8)
  })

  it('aes-128-cfb: a wrong checksum is refused', () => {
    const scheme = schemeOf('aes-128-cfb', 0x01)
    const wire = sealAll(sealerOf(scheme), [sample(40)])
    wire[20]! ^= 1
    expect(codeOf(() => feed(openerOf(scheme), wire))).toBe('BODY_AUTH_FAILED')
  })

  it.each([
    ['aes-128-gcm', 15],
    ['chacha20-poly1305', 0],
  ] as const)('%s: a size of %i is impossible', (security, size) => {
    const opener = openerOf(schemeOf(security, 0x01))
    expect(codeOf(() => feed(opener, Uint8Array.of(0, size)))).toBe('BODY_MALFORMED')
  })

  it('the key of lengths follows from the request key', () => {
    expect(Buffer.from(lengthKey(requestKey)).toString('hex')).toBe('364ccb1606e2783a21d9e4df5b61f233')
  })

  it('a sealed length that is shorter than the padding is impossible', () => {
    // Encoded is the size without the tag, modulo 65536, so 65520 means a size of 0.
    const scheme = schemeOf('aes-128-gcm', 0x11)
    const field = new Uint8Array(18)
    const nonce = new Uint8Array(12)
    nonce.set(requestIv.subarray(2, 12), 2)
    createAead('aes-128-gcm', lengthKey(requestKey)).seal(nonce, Uint8Array.of(0xff, 0xf0), field, 0)
    expect(codeOf(() => feed(openerOf(scheme), field))).toBe('BODY_MALFORMED')
  })

  it('an error stays', () => {
    const scheme = schemeOf('aes-128-gcm', 0x01)
    const wire = sealAll(sealerOf(scheme), [sample(40), sample(40)])
    wire[30]! ^= 1
    const opener = openerOf(scheme)
    expect(codeOf(() => feed(opener, wire))).toBe('BODY_AUTH_FAILED')
    expect(codeOf(() => feed(opener, wire))).toBe('BODY_AUTH_FAILED')
    expect(codeOf(() => opener.end())).toBe('BODY_AUTH_FAILED')
  })
})

it('an idle opener holds no more than the cut-off bytes', () => {
  const scheme = schemeOf('none', 0x01)
  const before = process.memoryUsage().arrayBuffers
  const openers = Array.from({ length: 2000 }, () => openerOf(scheme))
  // Each announces a chunk of 65535 bytes and sends fifteen, in two batches.
  const start = Uint8Array.of(0xff, 0xff, ...sample(10))
  for (const opener of openers) feed(opener, start)
  for (const opener of openers) feed(opener, sample(5))
  expect(openers.every((opener) => opener.room(0) === 15)).toBe(true)
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(20e6)
})
