import { describe, expect, it } from 'vitest'
import { isProxyError } from '../../src/core/errors.ts'
import { ConnectAnswer } from '../../src/protocol/http/connect.ts'
import { SocksClientHandshake } from '../../src/protocol/socks/client.ts'
import { fakeRandom } from '../../src/testing/fakes.ts'

/** What becomes of an answer that comes in pieces of `size`: the rest behind it, nothing yet, or the code of a failure. */
function outcome(push: (bytes: Uint8Array) => Uint8Array | undefined, answer: Uint8Array, size: number): string {
  try {
    for (let at = 0; at < answer.length; at += size) {
      const rest = push(answer.slice(at, at + size))
      if (rest) return Buffer.concat([rest, answer.subarray(at + size)]).toString('hex')
    }
    return 'nothing'
  } catch (error) {
    if (isProxyError(error)) return error.message
    throw error
  }
}

const target = { host: 'example.com', port: 443 }
const login = { user: 'a', pass: 'b' }
const hex = (text: string) => Uint8Array.from(Buffer.from(text, 'hex'))
const http = (text: string) => Uint8Array.from(Buffer.from(text))

const readers = {
  SOCKS5: {
    seeds: [hex('0502010005000001010203040050aa'), hex('05020100050000030161bbbbcc'), hex('050201000505')],
    make: () => {
      const reader = new SocksClientHandshake({ version: 5, command: 'connect', target, login })
      return (bytes: Uint8Array) => reader.push(bytes).rest
    },
  },
  SOCKS4: {
    seeds: [hex('005a00500102030499')],
    make: () => {
      const reader = new SocksClientHandshake({ version: 4, command: 'connect', target })
      return (bytes: Uint8Array) => reader.push(bytes).rest
    },
  },
  HTTP: {
    seeds: [http('HTTP/1.1 100 C\r\n\r\nHTTP/1.1 200 OK\r\nA: b\r\n\r\nxy'), http('HTTP/1.1 407 A\r\nB: c\r\n\r\n')],
    make: () => {
      const reader = new ConnectAnswer({ target, headers: {} })
      return (bytes: Uint8Array) => reader.push(bytes)
    },
  },
}

describe.each(Object.entries(readers))('answers of a %s proxy', (_name, { seeds, make }) => {
  it('come to the same in one piece and byte by byte, and end in an error of ours at worst', () => {
    const random = fakeRandom(77)
    const seen = new Set<string>()
    for (let i = 0; i < 5_000; i++) {
      const seed = seeds[random.below(seeds.length)]!
      const bytes = new Uint8Array(seed.length + random.below(4))
      bytes.set(seed)
      for (let n = random.below(3); n > 0; n--) bytes[random.below(bytes.length)] = random.below(256)
      const answer = bytes.subarray(0, random.below(6) === 0 ? random.below(bytes.length + 1) : bytes.length)
      const whole = outcome(make(), answer, answer.length || 1)
      expect(outcome(make(), answer, 1), Buffer.from(answer).toString('hex')).toBe(whole)
      seen.add(whole.slice(0, 24))
    }
    expect(seen.size).toBeGreaterThan(3)
  })
})
