/** Whatever bytes come, the parsers of the local inbounds give events or a ProxyError, and hold a bounded amount. */

import { describe, expect, it } from 'vitest'
import { isProxyError } from '../../src/core/errors.ts'
import { BodyRelay } from '../../src/protocol/http/body.ts'
import { BasicLogins } from '../../src/protocol/http/credentials.ts'
import { forwardedRequest, routingAttributes } from '../../src/protocol/http/forward.ts'
import { requestFraming } from '../../src/protocol/http/framing.ts'
import { parseRequestHead } from '../../src/protocol/http/head.ts'
import { HeadCollector } from '../../src/protocol/http/head-collector.ts'
import { ResponseRelay } from '../../src/protocol/http/response-relay.ts'
import { targetOf } from '../../src/protocol/http/target.ts'
import { bytesOf, textOf } from '../../src/protocol/http/text.ts'
import { SocksHandshake } from '../../src/protocol/socks/handshake.ts'
import { Logins } from '../../src/protocol/socks/logins.ts'
import { fakeRandom } from '../../src/testing/fakes.ts'
import { long } from '../support/long.ts'

const ROUNDS = long ? 100_000 : 20_000
const random = fakeRandom(2024)
const account = { user: 'u', pass: 'p' }
const hex = (text: string) => Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'))

const socksSeeds = [
  '05 02 00 02  05 01 00 01 7f000001 990c aabb',
  '05 02 00 02  01 01 75 01 70  05 01 00 03 0b 6578616d706c652e636f6d 0050 47',
  '05 01 00  05 01 00 04 20010db8000000000000000000000001 01bb',
  '04 01 990c 7f000001 75736572 00 ff',
  '04 01 990c 00000001 61 00 6c6f63616c686f7374 00',
  '05 01 00  05 03 00 01 00000000 0000',
].map(hex)

const requestSeeds = [
  'GET http://127.0.0.1:39180/a?b=c HTTP/1.1\r\nHost: o\r\nProxy-Connection: keep-alive\r\nConnection: X-Hop\r\nX-Hop: 1\r\n\r\n',
  'POST http://[::1]:80/p HTTP/1.0\r\nContent-Length: 3\r\nProxy-Authorization: Basic dTpw\r\n\r\nabc',
  'CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\r\n\x16\x03\x01',
  'PUT http://u@h/ HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5;a=b\r\nhello\r\n0\r\nX-T: 1\r\n\r\nGET',
  'OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n',
].map(bytesOf)

const responseSeeds = [
  'HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close, X-Drop\r\nX-Drop: 1\r\n\r\nok',
  'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\nA: b\r\n\r\n',
  'HTTP/1.0 404\nServer: x\n\nuntil the end',
  'HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 204 No Content\r\n\r\n',
].map(bytesOf)

/** One to four changes: flipped, replaced, doubled, inserted or cut-out bytes. */
function mutated(seed: Uint8Array): Uint8Array {
  const bytes = [...seed]
  for (let n = 1 + random.below(4); n > 0; n--) {
    const at = random.below(bytes.length + 1)
    const interesting = [0, 1, 4, 5, 9, 10, 13, 32, 44, 48, 58, 127, 128, 255, random.below(256)]
    const byte = interesting[random.below(interesting.length)]!
    const kind = random.below(5)
    if (kind === 0 && at < bytes.length) bytes[at]! ^= 1 << random.below(8)
    else if (kind === 1 && at < bytes.length) bytes[at] = byte
    else if (kind === 2) bytes.splice(at, 0, byte)
    else if (kind === 3) bytes.splice(at, 1 + random.below(6))
    else bytes.splice(at, 0, ...bytes.slice(at, at + 1 + random.below(20)))
  }
  return Uint8Array.from(bytes)
}

/** As expect(), which is too slow to be asked a million times. */
function must(holds: boolean, what: string): void {
  if (!holds) throw new Error(what)
}

/** Cuts into one to four pieces; each is overwritten once it was taken. */
function feed(bytes: Uint8Array, take: (piece: Uint8Array) => boolean): void {
  const cuts = Array.from({ length: random.below(4) }, () => random.below(bytes.length + 1)).sort((a, b) => a - b)
  let at = 0
  for (const cut of [...cuts, bytes.length]) {
    const piece = bytes.slice(at, cut)
    at = cut
    const more = take(piece)
    piece.fill(0xdb)
    if (!more) return
  }
}

/** Runs every mutant; what is thrown has to be ours. The number of mutants that were taken to the end. */
function run(
  seeds: readonly Uint8Array[],
  parse: (bytes: Uint8Array) => boolean,
): { accepted: number; refused: number } {
  const seen = { accepted: 0, refused: 0 }
  for (let i = 0; i < ROUNDS; i++) {
    const bytes = mutated(seeds[i % seeds.length]!)
    try {
      if (parse(bytes)) seen.accepted++
      else seen.refused++
    } catch (error) {
      if (!isProxyError(error)) throw new Error(`${Buffer.from(bytes).toString('hex')}: ${error}`, { cause: error })
      must(error.fault === 'remote', 'a fault of the sender')
      seen.refused++
    }
  }
  return seen
}

/** The body that follows a head, fed on. */
function relayBody(relay: BodyRelay, bytes: Uint8Array): void {
  feed(bytes, (piece) => {
    const { used, out } = relay.push(piece)
    must(used <= piece.length, 'more was used than given')
    must(out.length <= piece.length * 8 + 300, 'more came out than fits')
    return !relay.done
  })
}

/** A request head must not say anything that its parts did not: one line per header, one empty line. */
function expectOneHead(bytes: Uint8Array): void {
  const text = textOf(bytes)
  must(text.indexOf('\r\n\r\n') === text.length - 4, 'a head inside the head')
  must(!/\r(?!\n)|(?<!\r)\n/.test(text), 'half a line end')
}

describe(`${ROUNDS} mutants each`, () => {
  for (const [how, accounts] of [
    ['without', undefined],
    ['with', new Logins([account])],
  ] as const) {
    it(`of a SOCKS handshake ${how} accounts`, { timeout: 15_000 }, () => {
      const seen = run(socksSeeds, (bytes) => {
        const handshake = new SocksHandshake(accounts)
        let asked = false
        feed(bytes, (piece) => {
          const { request, refused } = handshake.push(piece)
          if (refused && !isProxyError(refused)) throw refused
          if (request) {
            asked = true
            must(/^[0-9A-Za-z._:-]{1,255}$/.test(request.host), `host ${request.host}`)
            must(request.port < 65_536, `port ${request.port}`)
            must(request.login?.user === (accounts && account.user), 'an account that was not proved')
          }
          return !request && !refused
        })
        return asked
      })
      expect(seen.accepted, 'the mutants are not too wild').toBeGreaterThan(ROUNDS / 100)
      expect(seen.refused).toBeGreaterThan(ROUNDS / 100)
    })
  }

  it('of an HTTP request', { timeout: 15_000 }, () => {
    const accounts = new BasicLogins([account])
    const seen = run(requestSeeds, (bytes) => {
      const collector = new HeadCollector('request')
      let complete = false
      let used = 0
      feed(bytes, (piece) => {
        const step = collector.push(piece)
        used += step.used
        complete = step.complete
        return !complete
      })
      if (!complete) return false
      const head = parseRequestHead(collector.head)
      accounts.find(head)
      const target = targetOf(head, { transparent: true })
      const framing = requestFraming(head)
      expectOneHead(forwardedRequest(head, target, framing))
      routingAttributes(head, target)
      relayBody(new BodyRelay('request', framing), bytes.subarray(used))
      return true
    })
    expect(seen.accepted).toBeGreaterThan(ROUNDS / 100)
    expect(seen.refused).toBeGreaterThan(ROUNDS / 100)
  })

  it('of an HTTP response', { timeout: 15_000 }, () => {
    const seen = run(responseSeeds, (bytes) => {
      const minor = random.below(2) === 0 ? 0 : 1
      const relay = new ResponseRelay({ method: 'GET', minor, upgrade: random.below(2) === 0, mayKeep: () => true })
      let text = ''
      feed(bytes, (piece) => {
        const out = relay.push(piece)
        must(out.length <= piece.length * 8 + 1_000, 'more came out than fits')
        text += textOf(out)
        return !relay.done
      })
      const heads = text.match(/^(HTTP\/1\.1 1\d\d [^\r\n]*\r\n(?:[^\r\n]+\r\n)*\r\n)*(HTTP\/1\.1 [\s\S]*?\r\n\r\n)?/)!
      // What comes after a switch is not HTTP any more.
      if (relay.switched || !relay.begun || !heads[2]) return relay.switched
      expectOneHead(bytesOf(heads[2]))
      must(minor === 1 || !heads[2].includes('\r\nTransfer-Encoding:'), 'chunks for HTTP/1.0')
      return true
    })
    expect(seen.accepted).toBeGreaterThan(ROUNDS / 100)
    expect(seen.refused).toBeGreaterThan(ROUNDS / 100)
  })
})
