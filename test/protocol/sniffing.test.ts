/** What first bytes are recognised as, by the recorded cases of three peers (test/vectors/sniffing.json says which). */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import type { Sniffed, Verdict } from '../../src/protocol/sniff/model.ts'
import { QuicSniffer } from '../../src/protocol/sniff/quic.ts'
import { StreamSniffer } from '../../src/protocol/sniff/stream.ts'
import vectors from '../vectors/sniffing.json' with { type: 'json' }

interface Case {
  readonly name: string
  readonly network: string
  readonly chunks: readonly (readonly [number, string])[]
  readonly want: readonly [string | null, string | null]
  readonly better?: boolean
}

const cases = vectors.cases as unknown as readonly Case[]

const nothing = [null, null] as const
const budgetMs = 200

/** Where ours differs from Xray's result, each with the reason. */
const ours: Readonly<Record<string, readonly [string | null, string | null]>> = {
  // V2Ray 5 knows these methods too.
  'http method PATCH': ['http1', 'h.example.com'],
  'http method TRACE': ['http1', 'h.example.com'],
  // A name that nobody can look up does not replace the target.
  'http host "user@h.example.com"': ['http1', null],
  'http host "h example.com"': ['http1', null],
  'http host "h.example.com, b.example.com"': ['http1', null],
  'http host "Ã©.example.com"': ['http1', null],
  'http host "a/b"': ['http1', null],
  'http host "*.example.com"': ['http1', null],
  'tls SNI with blank': ['tls', null],
  'tls SNI with NUL': ['tls', null],
  'tls SNI non-ascii': ['tls', null],
  'tls SNI with wildcard': ['tls', null],
  // Half a name leads elsewhere: the rest of the line is waited for.
  'http split inside host value, 20 ms': ['http1', 'h.example.com'],
  // It is none.
  'tls handshake type 2 (not ClientHello)': nothing,
  // RFC 9369.
  'quic v2 initial (RFC 9369)': ['quic', 'q.example.com'],
}

const bytesOf = (hex: string): Uint8Array => new Uint8Array(Buffer.from(hex, 'hex'))

/** What comes within the budget. */
function inTime({ chunks }: Case): Uint8Array[] {
  let ms = 0
  return chunks
    .filter(([afterMs]) => {
      ms += afterMs
      return ms < budgetMs
    })
    .map(([, hex]) => bytesOf(hex))
}

function streamVerdict(pieces: readonly Uint8Array[]): Verdict {
  const sniffer = new StreamSniffer()
  let seen: Uint8Array = new Uint8Array(0)
  for (const piece of pieces) {
    seen = Buffer.concat([seen, piece])
    const verdict = sniffer.look(seen)
    if (verdict !== 'undecided') return verdict
  }
  return sniffer.end(seen)
}

function sniffed(one: Case): Verdict {
  if (one.network === 'udp') {
    const sniffer = new QuicSniffer()
    let verdict: Verdict = 'undecided'
    for (const datagram of inTime(one)) if (verdict === 'undecided') verdict = sniffer.push(datagram)
    return verdict
  }
  return streamVerdict(inTime(one))
}

const told = (verdict: Verdict): readonly [string | null, string | null] =>
  typeof verdict === 'string' ? nothing : [verdict.protocol, verdict.domain || null]

/** `better` says that recognising the obvious name is right as well, although no peer does. */
const right = (one: Case): (readonly [string | null, string | null])[] => {
  const mine = ours[one.name] ?? one.want
  if (!one.better) return [mine]
  const protocol = one.name.startsWith('tls') ? 'tls' : 'http1'
  return [mine, [protocol, expect.stringMatching(/^[a-z]+\.example\.com$/)]]
}

describe('recorded first bytes', () => {
  test.each(cases.map((one) => [one.name, one] as const))('%s', (_, one) => {
    expect(right(one)).toContainEqual(told(sniffed(one)))
  })

  test('every exception names a case', () => {
    const names = new Set(cases.map(({ name }) => name))
    expect(Object.keys(ours).filter((name) => !names.has(name))).toEqual([])
  })
})

const named = (protocol: Sniffed['protocol']): Case[] =>
  cases.filter(({ want, better, name }) => want[0] === protocol && !better && !ours[name])

describe('in pieces', () => {
  test.each(['http1', 'tls', 'bittorrent'] as const)('%s is recognised byte by byte', (protocol) => {
    for (const one of named(protocol)) {
      const pieces = Array.from(Buffer.concat(inTime(one)), (byte) => Uint8Array.of(byte))
      // Of a line that has not ended nobody can say whether it is whole.
      if (/host[^\n]*$/i.test(Buffer.concat(inTime(one)).toString('latin1'))) continue
      expect(told(streamVerdict(pieces))[0], one.name).toBe(protocol)
    }
  })
})

describe('whatever comes', () => {
  test('mutated Initials are recognised or passed', () => {
    const initials = cases.filter(({ network }) => network === 'udp').flatMap((one) => inTime(one))
    const edits = fc.array(fc.tuple(fc.nat(1199), fc.nat(255)), { maxLength: 4 })
    fc.assert(
      fc.property(fc.constantFrom(...initials), edits, fc.nat(1200), (initial, changes, length) => {
        const bytes = new Uint8Array(initial.subarray(0, Math.max(1, initial.length - (length % 3 === 0 ? length : 0))))
        for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value
        const verdict = new QuicSniffer().push(bytes)
        return typeof verdict === 'string' ? ['no', 'undecided'].includes(verdict) : verdict.protocol === 'quic'
      }),
      { numRuns: 1_000, seed: 14 },
    )
  })

  test('mutated streams too', () => {
    const streams = cases.filter(({ network }) => network === 'tcp').map((one) => Buffer.concat(inTime(one)))
    fc.assert(
      fc.property(fc.constantFrom(...streams), fc.nat(400), fc.nat(255), fc.boolean(), (stream, at, value, final) => {
        const bytes = new Uint8Array(stream)
        if (at < bytes.length) bytes[at] = value
        streamVerdict(final ? [bytes] : [bytes.subarray(0, at), bytes.subarray(at), new Uint8Array(0)])
      }),
      { numRuns: 2_000, seed: 14 },
    )
  })
})
