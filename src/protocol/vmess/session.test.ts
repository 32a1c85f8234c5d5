import { describe, expect, it } from 'vitest'
import { concat, fromHex, pattern, sameBytes, vectorCases } from '../../../test/support/vectors.ts'
import {
  bytewise,
  cutAt,
  openAll,
  pushAll,
  sealAll,
  testClient,
  testServer,
  testUser,
} from '../../../test/support/vmess-pair.ts'
import { ProxyError } from '../../core/errors.ts'
import { fakeClock, fakeRandom } from '../../testing/fakes.ts'
import type { ClientSessionOptions } from './client.ts'
import { encodeOptions } from './header/request.ts'

const random = fakeRandom(9)
const up = pattern(20_000)
const down = pattern(20_000, 5)

/** What V2Ray 5 puts into the option byte. */
const choices: readonly { name: string; options: number; change: Partial<ClientSessionOptions> }[] = [
  { name: 'aes-128-gcm', options: 0x0d, change: { security: 'aes-128-gcm' } },
  { name: 'aes-128-gcm without padding', options: 0x05, change: { security: 'aes-128-gcm', globalPadding: false } },
  { name: 'chacha20-poly1305', options: 0x0d, change: { security: 'chacha20-poly1305' } },
  { name: 'none', options: 0x00, change: { security: 'none' } },
  { name: 'none, framed', options: 0x05, change: { security: 'none', framedNone: true } },
  { name: 'none for udp', options: 0x01, change: { security: 'none', command: 'udp' } },
  { name: 'none for udp, framed', options: 0x01, change: { security: 'none', command: 'udp', framedNone: true } },
  { name: 'zero', options: 0x00, change: { security: 'zero' } },
  { name: 'zero for udp', options: 0x01, change: { security: 'zero', command: 'udp' } },
  { name: 'zero for mux', options: 0x00, change: { security: 'zero', command: 'mux' } },
  { name: 'aes-128-cfb', options: 0x01, change: { security: 'aes-128-cfb' } },
  { name: 'aes-128-cfb for udp', options: 0x01, change: { security: 'aes-128-cfb', command: 'udp' } },
  { name: 'aes-128-gcm for udp', options: 0x0d, change: { security: 'aes-128-gcm', command: 'udp' } },
  { name: 'chacha20-poly1305 for mux', options: 0x0d, change: { security: 'chacha20-poly1305', command: 'mux' } },
]

const experiments = [false, true].flatMap((authenticatedLength) =>
  [false, true].map((noTerminationSignal) => ({ authenticatedLength, noTerminationSignal })),
)

describe.each([0, 5])('pairs, alterId %i', (alterId) => {
  describe.each(experiments)('%j', (experiment) => {
    it.each(choices)('$name', ({ options, change }) => {
      const user = testUser(alterId, { experiments: experiment })
      const server = testServer([user])
      const client = testClient(user, server.clock, change)
      const udp = change.command === 'udp'
      const writesUp = udp ? [pattern(1), pattern(1400, 3), pattern(1900, 9)] : [up.subarray(0, 300), up.subarray(300)]
      const writesDown = udp ? [pattern(1900, 2), pattern(7)] : [down.subarray(0, 1), down.subarray(1)]

      const head = client.head()
      const uplink = concat(head, sealAll(client.sealer, writesUp))
      const places = [random.below(head.length), head.length, head.length + random.below(500)]
      const { request, behind } = pushAll(server.accept(), cutAt(uplink, ...places.toSorted((a, b) => a - b)))
      expect(request).toMatchObject({ user, mode: alterId > 0 ? 'legacy' : 'aead', command: change.command ?? 'tcp' })
      const target = change.command === 'mux' ? { host: 'v1.mux.cool', port: 0 } : { host: 'example.com', port: 443 }
      expect(request?.target).toEqual(target)
      const sealedLengths = experiment.authenticatedLength && /gcm|poly/.test(change.security!)
      expect(encodeOptions(request!.options)).toBe(options | (sealedLengths ? 0x10 : 0))
      expect(request?.keys).toEqual(client.keys)

      const opened = openAll(request!.opener, behind)
      sameBytes(opened, concat(...writesUp))
      const framed = (options & 1) !== 0 && !experiment.noTerminationSignal
      expect(request!.opener.ended).toBe(framed)
      request!.opener.end()

      const answer = concat(request!.responseHead(), sealAll(request!.sealer, writesDown))
      expect(client.opener.answered).toBe(false)
      const expected = concat(...writesDown)
      const cuts = [1, 2 + random.below(50), 60 + random.below(answer.length - 60)]
      sameBytes(openAll(client.opener, cutAt(answer, ...cuts.toSorted((a, b) => a - b))), expected)
      expect(client.opener.answered).toBe(true)
      expect(client.opener.ended).toBe(framed)
      client.opener.end()
    })
  })

  it.each(choices)('$name, byte by byte', ({ change }) => {
    const user = testUser(alterId)
    const server = testServer([user])
    const client = testClient(user, server.clock, change)
    const data = pattern(1000)
    const uplink = concat(client.head(), sealAll(client.sealer, [data]))
    const { request, behind } = pushAll(server.accept(), bytewise(uplink))
    sameBytes(openAll(request!.opener, behind), data)
    const answer = concat(request!.responseHead(), sealAll(request!.sealer, [data]))
    sameBytes(openAll(client.opener, bytewise(answer)), data)
    expect(client.opener.answered).toBe(true)
  })
})

describe('udp', () => {
  it.each(choices.filter(({ change }) => change.command === 'udp'))('$name: borders arrive', ({ change }) => {
    const server = testServer([testUser()])
    const got: { up: Uint8Array[]; down: Uint8Array[] } = { up: [], down: [] }
    const packet = (datagram: Uint8Array) => void got.down.push(datagram.slice())
    const client = testClient(testUser(), server.clock, { ...change, packet })
    const datagrams = [1, 500, 1900].map((length, i) => pattern(length, i))
    const uplink = concat(client.head(), sealAll(client.sealer, datagrams))
    const { request, behind } = pushAll(server.accept(), cutAt(uplink, 100, 700))
    openAll(
      request!.packetOpener((datagram) => void got.up.push(datagram.slice())),
      behind,
    )
    expect(got.up.map((datagram) => datagram.length)).toEqual([1, 500, 1900])
    sameBytes(concat(...got.up), concat(...datagrams))
    const answer = concat(request!.responseHead(), sealAll(request!.sealer, datagrams))
    openAll(client.opener, cutAt(answer, 20, 50, 600))
    expect(got.down.map((datagram) => datagram.length)).toEqual([1, 500, 1900])
    sameBytes(concat(...got.down), concat(...datagrams))
    expect(() => request!.packetOpener(() => {})).toThrow(expect.objectContaining({ code: 'PROTOCOL_MISUSE' }))
  })
})

describe('the switch command', () => {
  const command = {
    host: 'other.example',
    port: 12345,
    id: new Uint8Array(16).fill(4),
    alterId: 8,
    level: 2,
    validMinutes: 3,
  }
  it.each([
    ['AEAD', 0, 'aes-128-gcm'],
    ['AEAD', 0, 'aes-128-cfb'],
    ['legacy', 2, 'chacha20-poly1305'],
    ['legacy', 2, 'aes-128-cfb'],
  ] as const)('%s (%i), %s', (_, alterId, security) => {
    const user = testUser(alterId)
    const server = testServer([user])
    const client = testClient(user, server.clock, { security })
    const request = server.accept().push(client.head())!
    const answer = concat(request.responseHead(command), sealAll(request.sealer, [down]))
    sameBytes(openAll(client.opener, cutAt(answer, 3, 30, 99)), down)
    expect(client.opener.command).toEqual(command)
  })
})

describe('ClientSession', () => {
  const server = testServer([testUser()])

  it('gives its header once', () => {
    const client = testClient(testUser(), server.clock)
    client.head()
    expect(() => client.head()).toThrow(expect.objectContaining({ code: 'PROTOCOL_MISUSE' }))
  })

  it('never repeats keys, AuthID or header length for long', () => {
    const heads = Array.from({ length: 200 }, () => testClient(testUser(), server.clock).head())
    expect(new Set(heads.map((head) => Buffer.from(head.subarray(0, 16)).toString('hex'))).size).toBe(200)
    expect(new Set(heads.map((head) => head.length)).size).toBe(16)
  })

  it('keeps legacy authentications between now and 30 s ahead, by alternative ids only', () => {
    const user = testUser(3)
    const legacyServer = testServer([user])
    const seen = { times: new Set<number>(), ids: new Set<number>() }
    for (let i = 0; i < 600; i++) {
      const head = testClient(user, legacyServer.clock).head()
      const match = legacyServer.users.match(head.subarray(0, 16), legacyServer.clock.now())!
      seen.times.add(match.timeS - legacyServer.clock.now() / 1000)
      seen.ids.add(match.alterId!)
    }
    expect([...seen.ids].sort()).toEqual([1, 2, 3])
    expect(Math.min(...seen.times)).toBe(0)
    expect(Math.max(...seen.times)).toBe(29)
  })

  it('refuses a target that no server takes', () => {
    const client = testClient(testUser(), server.clock, { target: { host: 'bücher.example', port: 1 } })
    expect(() => client.head()).toThrow(expect.objectContaining({ code: 'ADDRESS_INVALID' }))
  })
})

describe('ResponseOpener', () => {
  const exchange = (alterId: number) => {
    const user = testUser(alterId)
    const server = testServer([user])
    const client = testClient(user, server.clock)
    const request = server.accept().push(client.head())!
    return { client, answer: concat(request.responseHead(), sealAll(request.sealer, [down])) }
  }

  it.each([0, 4])('without an answer names the likely causes in order (alterId %i)', (alterId) => {
    for (const received of [0, 1, 3]) {
      const { client, answer } = exchange(alterId)
      openAll(client.opener, [answer.subarray(0, received)])
      const error = expect(() => client.opener.end())
      error.toThrow(
        expect.objectContaining({
          code: 'RESPONSE_MISSING',
          message: received ? 'the server closed inside its response header' : 'the server closed without answering',
          hint: expect.stringMatching(
            /id is unknown.*clock.*120 s.*security or alterId.*target.*not VMess.*transport or TLS/,
          ),
        }),
      )
    }
  })

  it.each([0, 4])('says the same of a reset, until the header is complete (alterId %i)', (alterId) => {
    const { client, answer } = exchange(alterId)
    const reset = new ProxyError('CONN_RESET', 'the peer reset the connection')
    for (const end of [0, 3]) {
      openAll(client.opener, [answer.subarray(0, end)])
      expect(client.opener.explain(reset)).toMatchObject({
        code: 'CONN_RESET',
        message: 'the peer reset the connection before its response header was complete',
        hint: expect.stringMatching(/id is unknown.*clock.*Xray 26\.7 and later refuse none and zero.*target/),
        cause: reset,
      })
    }
    const other = new ProxyError('CONN_CLOSED', 'closed')
    expect(client.opener.explain(other)).toBe(other)
    openAll(client.opener, [answer.subarray(3)])
    expect(client.opener.explain(reset)).toBe(reset)
  })

  it('is content with a header and no body', () => {
    for (const [alterId, length] of [
      [0, 38],
      [1, 4],
    ] as const) {
      const { client, answer } = exchange(alterId)
      openAll(client.opener, [answer.subarray(0, length)])
      expect(client.opener.answered).toBe(true)
      client.opener.end()
    }
  })

  it('refuses what does not open, and stays refusing', () => {
    for (const at of [0, 17, 18, 37]) {
      const { client, answer } = exchange(0)
      answer[at]! ^= 0x40
      const open = () => openAll(client.opener, [answer])
      expect(open).toThrow(expect.objectContaining({ code: 'RESPONSE_AUTH_FAILED' }))
      expect(open).toThrow(expect.objectContaining({ code: 'RESPONSE_AUTH_FAILED' }))
      expect(() => client.opener.end()).toThrow(expect.objectContaining({ code: 'RESPONSE_AUTH_FAILED' }))
      expect(client.opener.answered).toBe(false)
    }
  })

  it('refuses another request’s answer, in legacy mode by its first byte', () => {
    const { client, answer } = exchange(2)
    answer[0]! ^= 1
    expect(() => openAll(client.opener, [answer.subarray(0, 4)])).toThrow(
      expect.objectContaining({ code: 'RESPONSE_MISMATCH' }),
    )
  })

  it('notices an end inside a chunk', () => {
    const { client, answer } = exchange(0)
    openAll(client.opener, [answer.subarray(0, 45)])
    expect(() => client.opener.end()).toThrow(expect.objectContaining({ code: 'TRUNCATED' }))
  })
})

interface RecordedResponse {
  name: string
  aead: boolean
  body_key: string
  body_iv: string
  response_v: number
  switch_account?: { port: number }
  wire: string
}

it.each(
  vectorCases<RecordedResponse>('response_header'),
)('recorded response "$name" (aead $aead), in any split', (c) => {
  const wire = fromHex(c.wire)
  const cuts = Array.from(wire, (_, cut) => cutAt(wire, cut))
  const keys = { key: fromHex(c.body_key), iv: fromHex(c.body_iv), v: c.response_v }
  for (const pieces of [[wire], bytewise(wire), ...cuts]) {
    const client = testClient(testUser(c.aead ? 0 : 4), fakeClock(0), { keys })
    for (const piece of pieces) {
      expect(client.opener.answered).toBe(false)
      openAll(client.opener, [piece])
    }
    expect(client.opener.answered).toBe(true)
    expect(client.opener.command?.port).toBe(c.switch_account?.port)
    client.opener.end()
  }
})
