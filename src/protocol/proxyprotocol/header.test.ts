import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Address, formatAddress } from '../../core/address.ts'
import { isProxyError } from '../../core/errors.ts'
import { limits } from '../../core/limits.ts'
import { fakeRandom } from '../../testing/fakes.ts'
import { ProxyHeaderReader } from './reader.ts'
import { proxyHeader } from './writer.ts'

const bytes = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text, 'latin1'))
const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'))
const signature = '0d0a0d0a000d0a515549540a'

/** What a reader makes of pieces of this size: the addresses and the rest, nothing yet, or a code. */
function outcome(input: Uint8Array, size = input.length || 1): string {
  const reader = new ProxyHeaderReader()
  try {
    for (let at = 0; at < input.length; at += size) {
      const read = reader.push(input.slice(at, at + size))
      if (!read) continue
      const { source, destination } = read.header
      const rest = Buffer.concat([read.rest, input.subarray(at + size)]).toString('latin1')
      return `${source ? formatAddress(source) : '-'} ${destination ? formatAddress(destination) : '-'} |${rest}`
    }
    return 'nothing yet'
  } catch (error) {
    if (isProxyError(error)) return error.code
    throw error
  }
}

describe('a PROXY protocol header', () => {
  it.each([
    ['PROXY TCP4 192.0.2.1 198.51.100.2 4000 443\r\nhello', '192.0.2.1:4000 198.51.100.2:443 |hello'],
    ['PROXY TCP6 2001:db8::1 ::1 65535 0\r\n', '[2001:db8::1]:65535 [::1]:0 |'],
    ['PROXY TCP6 ::ffff:192.0.2.1 ::1 1 2\r\nx', '192.0.2.1:1 [::1]:2 |x'],
    ['PROXY UNKNOWN\r\nx', '- - |x'],
    ['PROXY UNKNOWN ffff:f...f:ffff ::1 65535 65535\r\nx', '- - |x'],
    [`PROXY UNKNOWN ${'a'.repeat(91)}\r\nx`, '- - |x'],
  ])('of version 1 is read: %j', (text, expected) => {
    expect(outcome(bytes(text))).toBe(expected)
  })

  it.each([
    [`${signature} 21 11 000c c0000201 c6336402 0fa0 01bb 68`, '192.0.2.1:4000 198.51.100.2:443 |h'],
    [`${signature} 21 21 0024 ${'00'.repeat(15)}01 ${'00'.repeat(15)}02 0001 0002`, '[::1]:1 [::2]:2 |'],
    [`${signature} 21 12 000c c0000201 c6336402 0fa0 01bb`, '192.0.2.1:4000 198.51.100.2:443 |'],
    [`${signature} 21 11 0010 c0000201 c6336402 0fa0 01bb 03000101 68`, '192.0.2.1:4000 198.51.100.2:443 |h'],
    [`${signature} 20 11 000c c0000201 c6336402 0fa0 01bb 68`, '- - |h'],
    [`${signature} 20 00 0000 68`, '- - |h'],
    [`${signature} 21 00 0003 010203 68`, '- - |h'],
    [`${signature} 21 31 00d8 ${`${'2f61'}${'00'.repeat(106)}`.repeat(2)} 68`, 'unix:/a unix:/a |h'],
  ])('of version 2 is read: %s', (text, expected) => {
    expect(outcome(hex(text))).toBe(expected)
  })

  it.each([
    'GET / HTTP/1.1\r\n',
    'PROXY\r\n',
    'PROXY TCP4 192.0.2.1 198.51.100.2 4000\r\n',
    'PROXY TCP4 192.0.2.1 198.51.100.2 4000 65536\r\n',
    'PROXY TCP4 192.0.2.1 198.51.100.2 04 5\r\n',
    'PROXY TCP4 ::1 ::1 1 2\r\n',
    'PROXY TCP6 192.0.2.1 ::1 1 2\r\n',
    'PROXY TCP4  192.0.2.1 198.51.100.2 1 2\r\n',
    'PROXY UDP4 192.0.2.1 198.51.100.2 1 2\r\n',
    'PROXY UNKNOWN\n',
    `PROXY UNKNOWN ${'a'.repeat(93)}\r\n`,
  ])('is none: %j', (text) => {
    expect(outcome(bytes(text))).toBe('PROXY_HEADER_INVALID')
  })

  it.each([
    `${signature.slice(0, -2)}0b`,
    `${signature} 11 11 000c`,
    `${signature} 22 11 000c`,
    `${signature} 21 11 000b`,
    `${signature} 21 21 0023`,
    `${signature} 21 31 00d7`,
  ])('is none: %s', (text) => {
    expect(outcome(hex(text))).toBe('PROXY_HEADER_INVALID')
  })

  it('passes over what follows the addresses, however long, and holds none of it', () => {
    const more = 65_535 - 12
    const whole = Buffer.concat([
      hex(`${signature} 21 11 ffff c0000201 c6336402 0fa0 01bb`),
      new Uint8Array(more),
      bytes('rest'),
    ])
    for (const size of [1, 1000, whole.length]) expect(outcome(whole, size)).toMatch(/^192.0.2.1:4000 .*\|rest$/)
    expect(limits.proxyHeaderHeld).toBe(16 + 216)
  })
})

describe('what is written', () => {
  const four = { host: '192.0.2.1', port: 4000 }
  const six = { host: '2001:db8::1', port: 443 }

  it.each<[Address | undefined, Address | undefined, string, string]>([
    [four, { ...four, port: 1 }, 'PROXY TCP4 192.0.2.1 192.0.2.1 4000 1\r\n', '192.0.2.1:4000 192.0.2.1:1 |'],
    [six, six, 'PROXY TCP6 2001:db8::1 2001:db8::1 443 443\r\n', '[2001:db8::1]:443 [2001:db8::1]:443 |'],
    [four, six, 'PROXY TCP6 ::ffff:192.0.2.1 2001:db8::1 4000 443\r\n', '192.0.2.1:4000 [2001:db8::1]:443 |'],
    [undefined, four, 'PROXY UNKNOWN\r\n', '- - |'],
    [four, { host: 'example.com', port: 1 }, 'PROXY UNKNOWN\r\n', '- - |'],
    [{ host: '', port: 0, path: '/a' }, four, 'PROXY UNKNOWN\r\n', '- - |'],
  ])('from %j to %j', (source, destination, line, read) => {
    expect(Buffer.from(proxyHeader(1, source, destination)).toString()).toBe(line)
    for (const version of [1, 2] as const) expect(outcome(proxyHeader(version, source, destination))).toBe(read)
  })

  it('is read again, whatever it is and however it is cut', () => {
    const host = fc.oneof(fc.ipV4(), fc.ipV6())
    const port = fc.nat(65_535)
    const address = fc.record({ host, port })
    fc.assert(
      fc.property(
        address,
        address,
        fc.constantFrom(1, 2),
        fc.integer({ min: 1, max: 60 }),
        (from, to, version, size) => {
          const written = proxyHeader(version as 1 | 2, from, to)
          const whole = Buffer.concat([written, Buffer.from('rest')])
          expect(outcome(whole, size)).toBe(outcome(whole))
          expect(outcome(whole)).toMatch(new RegExp(`:${from.port} .*:${to.port} \\|rest$`))
        },
      ),
    )
  })
})

it('is the same in one piece and byte by byte, and ends in an error of ours at worst: 20,000 mutated headers', () => {
  const random = fakeRandom(9)
  const seeds = [
    proxyHeader(1, { host: '192.0.2.1', port: 1 }, { host: '192.0.2.1', port: 2 }),
    proxyHeader(2, { host: '192.0.2.1', port: 1 }, { host: '192.0.2.1', port: 2 }),
    proxyHeader(2, { host: '::1', port: 1 }, { host: '::2', port: 2 }),
    proxyHeader(1, undefined, undefined),
  ]
  const seen = new Set<string>()
  for (let i = 0; i < 20_000; i++) {
    const seed = seeds[random.below(seeds.length)]!
    const input = new Uint8Array(seed.length + random.below(6))
    input.set(seed)
    for (let n = random.below(3); n > 0; n--) input[random.below(input.length)] = random.below(256)
    const cut = input.subarray(0, random.below(6) === 0 ? random.below(input.length + 1) : input.length)
    const whole = outcome(cut)
    if (outcome(cut, 1) !== whole) expect.fail(Buffer.from(cut).toString('hex'))
    seen.add(whole.slice(0, 12))
  }
  expect(seen.size).toBeGreaterThan(5)
})
