/**
 * The recorded exchanges of V2Ray 4.34's local inbounds, replayed against ours over memory pairs, whole and byte by
 * byte. Where we differ on purpose the test's name says how.
 */

import { describe, expect, it } from 'vitest'
import { type Env, silentLogger } from '../../src/core/env.ts'
import { ProxyError } from '../../src/core/errors.ts'
import type { Inbound } from '../../src/core/inbound.ts'
import { forever } from '../../src/core/lifetime.ts'
import { memoryPair } from '../../src/net/memory/memory.ts'
import { createBlackhole } from '../../src/proxy/blackhole/outbound.ts'
import { createDokodemoInbound } from '../../src/proxy/dokodemo/inbound.ts'
import { createHttpInbound } from '../../src/proxy/http/inbound.ts'
import { createMixedInbound } from '../../src/proxy/mixed/inbound.ts'
import { createSocksInbound } from '../../src/proxy/socks/inbound.ts'
import { fakeClock, fakeRandom } from '../../src/testing/fakes.ts'
import { refused, unavailable } from '../support/http-inbound.ts'
import { recordingIo, settled, Tap } from '../support/inbound-io.ts'
import vectors from '../vectors/inbound.json' with { type: 'json' }

interface Case {
  readonly name: string
  readonly connectionAfter: string
  readonly sentHex?: string
  readonly receivedHex?: string
  readonly originSawHex?: string
  readonly steps?: readonly { sentHex: string; receivedHex: string }[]
}

interface Difference {
  readonly how: string
  /** Instead of the last answer that was recorded. */
  readonly receivedHex?: string
  readonly connectionAfter: 'open' | 'closed'
}

const latin1 = (text: string) => Buffer.from(text, 'latin1').toString('hex')
const unhex = (hex: string) => Buffer.from(hex, 'hex')

const keptOpen = { how: 'kept open, as it says', connectionAfter: 'open' } as const
const challenged = {
  how: '407 has a length and a reason, and the connection is kept for the next try',
  receivedHex: latin1(
    'HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Basic realm="proxy"\r\n' +
      'Connection: keep-alive\r\nProxy-Connection: keep-alive\r\nContent-Type: text/plain; charset=utf-8\r\n' +
      'Content-Length: 42\r\n\r\nthis proxy asks for a user and a password\n',
  ),
  connectionAfter: 'open',
} as const
const differences: Record<string, Difference> = {
  'http plain GET, no Proxy-Connection': keptOpen,
  'http good credentials': keptOpen,
  'http plain, chunked answer': {
    how: 'kept open: the end of the answer can be seen',
    receivedHex: latin1(
      'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nConnection: keep-alive\r\nKeep-Alive: timeout=4\r\n' +
        'Proxy-Connection: keep-alive\r\n\r\n2\r\nok\r\n0\r\n\r\n',
    ),
    connectionAfter: 'open',
  },
  'http plain, unparsable answer': {
    how: 'the connection is closed after 503, which has a reason',
    receivedHex: latin1(unavailable("the server's answer cannot be passed on: the beginning of the status line")),
    connectionAfter: 'closed',
  },
  'http relative URL refused': {
    how: 'the answer has a reason',
    receivedHex: latin1(refused('400 Bad Request', 'this is a proxy: it is asked with a full URL or with CONNECT')),
    connectionAfter: 'closed',
  },
  'http no credentials': challenged,
  'http wrong credentials': challenged,
  'http CONNECT to a closed port': {
    how: 'the failed dial is answered with 502',
    receivedHex: latin1(refused('502 Bad Gateway', 'the server refused the connection')),
    connectionAfter: 'closed',
  },
  'socks5 connect to a closed port': {
    how: 'the failed dial is answered with 5, connection refused',
    receivedHex: '05050001000000000000',
    connectionAfter: 'closed',
  },
}

const originAnswers: Record<string, string> = {
  '/chunk': 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n',
  '/junk': 'junk\r\n\r\n',
}
const ORDINARY =
  'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nKeep-Alive: timeout=99\r\nConnection: close, X-Drop\r\nX-Drop: 1\r\n' +
  'Proxy-Authenticate: x\r\nserver: t\r\n\r\nok'

const accounts = [{ user: 'u', pass: 'p' }]
const needsPassword = /password|credentials|is off/

function listenerFor(name: string, env: Env): { inbound: Inbound; port: number } {
  const withAccounts = needsPassword.test(name)
  if (name.startsWith('http')) {
    const settings = { logins: withAccounts ? accounts : [], allowTransparent: false, level: 0 }
    return { inbound: createHttpInbound(settings, env), port: 39101 }
  }
  if (name.startsWith('blackhole')) {
    const target = { host: '127.0.0.1', port: 39180 }
    return { inbound: createDokodemoInbound({ target, networks: ['tcp'], level: 0 }), port: 39107 }
  }
  const asksNone = name.includes('server wants none')
  const auth = withAccounts && !asksNone ? 'password' : 'noauth'
  const udp = name.includes('udp associate') && !withAccounts
  const ip = name.includes('with ip setting') && { ip: '192.0.2.7' }
  const port = ip ? 39105 : { noauth: 39103, password: 39104 }[auth]
  return { inbound: createSocksInbound({ auth, logins: accounts, udp, ...ip, level: 0 }, env), port }
}

const doorAt = (port: number) => ({ ...forever, address: { host: '127.0.0.1', port }, expect: () => () => {} })

/** An origin that reads one request head, and three bytes for a POST, answers, and closes if asked to. */
function answering(origin: Tap): Promise<void> {
  const whole = () =>
    origin.text.includes('\r\n\r\n') && (!origin.text.startsWith('POST') || origin.text.endsWith('abc'))
  return (async () => {
    while (!whole()) await settled()
    const path = /^\S+ (\/\w*)/.exec(origin.text)?.[1] ?? '/'
    await origin.conn.write(Buffer.from(originAnswers[path] ?? ORDINARY, 'latin1'))
    if (origin.text.includes('Connection: close')) await origin.conn.closeWrite()
  })()
}

async function replay(recorded: Case, cut: number) {
  const clock = fakeClock(0)
  const env: Env = { clock, random: fakeRandom(1), log: silentLogger }
  const { inbound, port } = listenerFor(recorded.name, env)
  const local = `127.0.0.1:${port}`
  const [client, near] = memoryPair({ info: [{}, { local, remote: '127.0.0.1:5' }] })
  let origin: Tap | undefined
  const io = recordingIo({
    clock,
    door: doorAt(port),
    dial: async (request) => {
      if (recorded.name.startsWith('blackhole')) {
        const blackhole = createBlackhole('block', { response: 'http' }, env)
        return blackhole.dial(request.target, { until: near })
      }
      if (request.target.port === 9) throw new ProxyError('DIAL_REFUSED', 'refused')
      const [far, end] = memoryPair({ info: [{ local }, {}] })
      origin = new Tap(end)
      if (recorded.originSawHex) void answering(origin)
      return far
    },
  })
  const serving = inbound.serve(near, io)
  const tap = new Tap(client)
  const steps = recorded.steps ?? [{ sentHex: recorded.sentHex ?? '', receivedHex: recorded.receivedHex ?? '' }]
  const received: string[] = []
  for (const step of steps) {
    const before = tap.hex.length
    await tap.send(unhex(step.sentHex), cut)
    if (recorded.name.startsWith('blackhole')) clock.advance(1000)
    for (let turn = 0; turn < 5; turn++) await settled()
    received.push(tap.hex.slice(before))
  }
  const connectionAfter = tap.state === 'open' ? 'open' : 'closed'
  const originSaw = origin?.hex ?? ''
  client.destroy()
  origin?.conn.destroy()
  clock.advance(400_000)
  await serving
  expect(clock.pending, 'no timer is left').toBe(0)
  return { received, connectionAfter, originSaw, target: io.requests[0]?.target }
}

describe('recorded exchanges', () => {
  for (const recorded of vectors.cases as Case[]) {
    const difference = differences[recorded.name]
    for (const [how, cut] of [
      ['whole', Number.POSITIVE_INFINITY],
      ['byte by byte', 1],
    ] as const) {
      it(`${recorded.name}, ${how}${difference ? ` (on purpose not as V2Ray: ${difference.how})` : ''}`, async () => {
        const expected = (recorded.steps ?? [recorded]).map((step) => step.receivedHex ?? '')
        if (difference?.receivedHex !== undefined) expected[expected.length - 1] = difference.receivedHex
        const seen = await replay(recorded, cut)
        expect(seen.received).toEqual(expected)
        expect(seen.connectionAfter).toBe(difference?.connectionAfter ?? recorded.connectionAfter)
        expect(seen.originSaw).toBe(recorded.originSawHex ?? '')
      })
    }
  }

  it('are all here', () => expect(vectors.cases).toHaveLength(29))
})

describe('mixed', () => {
  const shared = (vectors.cases as Case[]).filter(({ name }) => /^(http|socks)/.test(name) && !/relative/.test(name))
  for (const recorded of shared) {
    const difference = differences[recorded.name]
    it(`answers as the inbound of its own: ${recorded.name}`, async () => {
      const env: Env = { clock: fakeClock(0), random: fakeRandom(1), log: silentLogger }
      const password = needsPassword.test(recorded.name) && !recorded.name.includes('server wants none')
      const auth = password ? 'password' : 'noauth'
      const udp = recorded.name.includes('udp associate') && !password
      const ip = recorded.name.includes('with ip setting') && { ip: '192.0.2.7' }
      const port = ip ? 39105 : 39103
      const inbound = createMixedInbound({ auth, logins: accounts, udp, ...ip, level: 0 }, env)
      const [client, near] = memoryPair({ info: [{}, { local: `127.0.0.1:${port}` }] })
      const io = recordingIo({
        clock: env.clock,
        door: doorAt(port),
        dial: () => {
          throw new ProxyError('DIAL_REFUSED', 'refused')
        },
      })
      const serving = inbound.serve(near, io)
      const tap = new Tap(client)
      const steps = recorded.steps ?? [{ sentHex: recorded.sentHex ?? '', receivedHex: recorded.receivedHex ?? '' }]
      for (const step of steps) await tap.send(unhex(step.sentHex))
      const received = tap.hex
      client.destroy()
      await serving
      // Every target is refused here, so what is compared is all that comes before the dial.
      const recordedAnswers = steps.map((step) => step.receivedHex).join('')
      if (io.requests.length === 0 && !difference) expect(received).toBe(recordedAnswers)
      else expect(received.length).toBeGreaterThan(0)
    })
  }
})
