import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { fakeRandom } from '../../testing/fakes.ts'
import { disguise, type HeaderType } from './headers.ts'
import { Masks } from './mask.ts'
import { gcmSeal, plainSeal } from './seals.ts'
import { commands } from './segment.ts'
import { SegmentWriter } from './segment-writer.ts'

const bytes = (hex: string) => Uint8Array.from(Buffer.from(hex.replaceAll(' ', ''), 'hex'))
const zeros = { fill: <T extends Uint8Array>(into: T): T => into.fill(0) as T, below: () => 0 }
const chain = (...masks: ConstructorParameters<typeof Masks>[0]) => new Masks(masks)
/** A ping whose datagrams were made with V2Ray's own code; see docs of mKCP in the specification, section 8.1. */
const ping = new SegmentWriter(0x1234, 1400).command(commands.ping, 7, 9, 100).slice()

describe('seals', () => {
  it('are V2Ray’s', () => {
    expect(ping).toEqual(bytes('1234 03 00 00000007 00000009 00000064'))
    expect(chain(plainSeal).wrap(Buffer.from('hello'))).toEqual(bytes('8b221bce8b2773abe74b1c'))
    expect(chain(plainSeal).wrap(ping)).toEqual(bytes('234e59a6235e4b92205e4b9220594b9220504b922034'))
    expect(chain(gcmSeal('testseed', zeros)).wrap(ping)).toEqual(
      bytes('000000000000000000000000 b0a0c33a01288e2b8173726d77ce3434 bc25ef2e211cc6e559f6bab2361190c7'),
    )
  })

  it.each([
    ['plain', () => plainSeal],
    ['gcm', () => gcmSeal('s', fakeRandom(1))],
  ])('open what they have sealed, and nothing that was changed: %s', (_, seal) => {
    const masks = chain(seal())
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 1, maxLength: 1500 }),
        fc.nat(),
        fc.integer({ min: 1, max: 255 }),
        (payload, at, flip) => {
          const sealed = masks.wrap(payload).slice()
          expect(masks.open(sealed)).toEqual(payload)
          sealed[at % sealed.length]! ^= flip
          expect(masks.open(sealed)).toBeUndefined()
        },
      ),
    )
  })

  it('survive whatever comes', () => {
    const all = [
      chain(plainSeal),
      chain(gcmSeal('s', fakeRandom(1))),
      chain(plainSeal, disguise('dtls', fakeRandom(2))),
    ]
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 80 }), (foreign) =>
        all.every((masks) => masks.open(foreign) === undefined),
      ),
    )
    expect(all[0]!.open(new Uint8Array(65_507))).toBeUndefined()
  })
})

describe('headers', () => {
  const two = (type: HeaderType) => {
    const masks = chain(disguise(type, zeros, 'www.baidu.com'))
    return [masks.wrap(Uint8Array.of(7)).slice(), masks.wrap(Uint8Array.of(7)).slice()]
  }

  it.each([
    ['srtp', 'b5e80001 07', 'b5e80002 07'],
    ['utp', '00000100 07', '00000100 07'],
    ['wechat-video', 'a108 00000001 00101118302230 07', 'a108 00000002 00101118302230 07'],
    ['dtls', '17fefd 0000 0000 00000000 0011 07', '17fefd 0000 0000 00000001 0022 07'],
    ['wireguard', '04000000 07', '04000000 07'],
    [
      'dns',
      '0000 0100 0001 0000 0000 0000 03777777 056261696475 03636f6d 00 0001 0001 07',
      '0000 0100 0001 0000 0000 0000 03777777 056261696475 03636f6d 00 0001 0001 07',
    ],
  ] as const)('%s', (type, first, second) => {
    expect(two(type)).toEqual([bytes(first), bytes(second)])
  })

  it('the length of dtls turns round', () => {
    const masks = chain(disguise('dtls', zeros))
    const lengths = Array.from({ length: 8 }, () => masks.wrap(Uint8Array.of(0))[12])
    expect(lengths).toEqual([17, 34, 51, 68, 85, 52, 69, 86])
  })

  it('lie around the seal, and are only counted', () => {
    const masks = chain(gcmSeal('s', fakeRandom(3)), disguise('srtp', fakeRandom(4)))
    const datagram = masks.wrap(ping).slice()
    datagram.fill(0, 0, 4)
    expect(masks.open(datagram)).toEqual(ping)
    expect(masks.overhead).toBe(32)
  })
})
