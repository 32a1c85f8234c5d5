import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { ErrorCode } from '../../core/errors.ts'
import { type SocksAsk, SocksClientHandshake } from './client.ts'
import { SocksHandshake } from './handshake.ts'
import { Logins } from './logins.ts'
import { socksReply } from './reply.ts'

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex')
const bytes = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(' ', ''), 'hex'))

const name = { host: 'example.com', port: 443 }
const login = { user: 'alice', pass: 'secret' }
const connect: SocksAsk = { version: 5, command: 'connect', target: name }
const requestHex = '05010003 0b6578616d706c652e636f6d 01bb'.replaceAll(' ', '')

/** What is sent in all, and the last step, when the proxy answers with these pieces. */
function talk(ask: SocksAsk, ...answers: readonly string[]) {
  const handshake = new SocksClientHandshake(ask)
  const sent = [hex(handshake.first)]
  let last = {}
  for (const answer of answers) {
    last = handshake.push(bytes(answer))
    sent.push(hex((last as { send: Uint8Array }).send))
  }
  return { sent, last }
}

const failure = (run: () => unknown): unknown => {
  try {
    return run()
  } catch (error) {
    return error
  }
}

const refusedAs = (code: ErrorCode, message: RegExp) =>
  expect.objectContaining({ code, message: expect.stringMatching(message) })

describe('SOCKS5 from the client’s side', () => {
  it('asks without a login, and takes the address and what comes behind', () => {
    const { sent, last } = talk(connect, '0500', '05000001 7f000001 1f90 aabb')
    expect(sent).toEqual(['050100', requestHex, ''])
    expect(last).toMatchObject({ bound: { host: '127.0.0.1', port: 8080 }, rest: bytes('aabb') })
  })

  it('gives the login with the first bytes, as V2Ray does', () => {
    const auth = '0105616c69636506736563726574'
    expect(talk({ ...connect, login }, '0502', '0100', '05000001 00000000 0000').sent).toEqual([
      `050102${auth}`,
      '',
      requestHex,
      '',
    ])
    expect(talk({ ...connect, login, delayAuth: true }, '0502', '0100').sent).toEqual(['050102', auth, requestHex])
  })

  it.each([
    ['127.0.0.1', '05010001 7f000001 0050'],
    ['::1', `05010004 ${'00'.repeat(15)}01 0050`],
  ])('asks for %s as an address', (host, request) => {
    expect(talk({ ...connect, target: { host, port: 80 } }, '0500').sent[1]).toBe(request.replaceAll(' ', ''))
  })

  it.each([
    ['05000003 0b6578616d706c652e636f6d 0035', { host: 'example.com', port: 53 }],
    [`05000004 ${'00'.repeat(15)}01 0035`, { host: '::1', port: 53 }],
    ['05000003 00 0035', { host: '', port: 53 }],
  ])('reads the address of %s', (answer, bound) => {
    expect(talk({ ...connect, command: 'associate' }, '0500', answer).last).toMatchObject({ bound })
  })

  it.each<[string, SocksAsk, string[], ErrorCode, RegExp]>([
    ['no method, no login', connect, ['05ff'], 'UPSTREAM_UNAUTHORIZED', /wants a user and a password/],
    ['a login is wanted', connect, ['0502'], 'UPSTREAM_UNAUTHORIZED', /wants a user and a password/],
    ['GSSAPI', connect, ['0501'], 'UPSTREAM_UNAUTHORIZED', /login method 1/],
    ['no login is taken', { ...connect, login }, ['05ff'], 'UPSTREAM_UNAUTHORIZED', /takes no user/],
    [
      'a wrong password',
      { ...connect, login },
      ['0502', '01ff'],
      'UPSTREAM_UNAUTHORIZED',
      /refused the user .*\(255\)/,
    ],
    ['general failure', connect, ['0500', '0501'], 'UPSTREAM_REFUSED', /example.com:443: general failure \(1\)/],
    ['rules', connect, ['0500', '050200'], 'UPSTREAM_REFUSED', /rules do not allow it \(2\)/],
    ['the network', connect, ['0500', '0503'], 'DIAL_UNREACHABLE', /network cannot be reached \(3\)/],
    ['the host', connect, ['0500', '0504'], 'DIAL_UNREACHABLE', /\(4\)/],
    ['refused', connect, ['0500', '050500010000'], 'DIAL_REFUSED', /target refused the connection \(5\)/],
    ['too late', connect, ['0500', '0506'], 'DIAL_TIMEOUT', /\(6\)/],
    [
      'unknown command',
      { ...connect, command: 'associate' },
      ['0500', '0507'],
      'UPSTREAM_REFUSED',
      /to carry UDP: .*\(7\)/,
    ],
    ['an unknown code', connect, ['0500', '05aa'], 'UPSTREAM_REFUSED', /\(170\)/],
    ['HTTP', connect, ['485454502f312e31'], 'UPSTREAM_BAD_ANSWER', /not SOCKS: 72 where SOCKS5 has 5/],
    ['a kind that there is not', connect, ['0500', '05000002'], 'UPSTREAM_BAD_ANSWER', /address of kind 2/],
  ])('tells: %s', (_what, ask, answers, code, message) => {
    expect(failure(() => talk(ask, ...answers))).toEqual(refusedAs(code, message))
  })

  it('does not send what it cannot say', () => {
    const target = { host: 'b\u00fccher.example\r\n', port: 80 }
    expect(failure(() => talk({ ...connect, target }))).toEqual(refusedAs('ADDRESS_INVALID', /letters, digits/))
    const long = { user: 'u'.repeat(256), pass: '' }
    expect(failure(() => talk({ ...connect, login: long }))).toEqual(refusedAs('ADDRESS_INVALID', /255 bytes/))
  })
})

describe('SOCKS4 from the client’s side', () => {
  const socks4: SocksAsk = { version: 4, command: 'connect', target: { host: '192.0.2.1', port: 80 }, login }

  it('asks for an IPv4 address, with the user', () => {
    const { sent, last } = talk(socks4, '005a 0050 c0000201 ff')
    expect(sent[0]).toBe('04010050c0000201616c69636500')
    expect(last).toMatchObject({ bound: { host: '192.0.2.1', port: 80 }, rest: Uint8Array.of(255) })
  })

  it('asks for a name as 4a', () => {
    const { sent } = talk({ ...socks4, target: name, login: undefined })
    expect(sent[0]).toBe('040101bb00000001006578616d706c652e636f6d00')
  })

  it.each<[string, Partial<SocksAsk>, string[], ErrorCode, RegExp]>([
    ['refused', {}, ['005b'], 'UPSTREAM_REFUSED', /192.0.2.1:80 \(91\)/],
    ['identd', {}, ['005d'], 'UPSTREAM_UNAUTHORIZED', /identd names another/],
    ['no SOCKS4', {}, ['05ff'], 'UPSTREAM_BAD_ANSWER', /5 where SOCKS4 has 0/],
    ['IPv6', { target: { host: '::1', port: 1 } }, [], 'ADDRESS_INVALID', /no IPv6/],
    ['UDP', { command: 'associate' }, [], 'OUTBOUND_TCP_ONLY', /no UDP/],
  ])('tells: %s', (_what, over, answers, code, message) => {
    expect(failure(() => talk({ ...socks4, ...over }, ...answers))).toEqual(refusedAs(code, message))
  })
})

describe('both sides of SOCKS', () => {
  const asks: readonly SocksAsk[] = [
    connect,
    { ...connect, login },
    { ...connect, login, delayAuth: true },
    { version: 5, command: 'associate', target: { host: '0.0.0.0', port: 0 } },
    { version: 4, command: 'connect', target: name },
  ]

  it('understand each other, however what they say is cut', () => {
    fc.assert(
      fc.property(fc.constantFrom(...asks), fc.infiniteStream(fc.integer({ min: 1, max: 9 })), (ask, cuts) => {
        const server = new SocksHandshake(ask.login && new Logins([login]), true)
        const client = new SocksClientHandshake(ask)
        const cut = cuts[Symbol.iterator]()
        const pieces = function* (whole: Uint8Array) {
          let at = 0
          while (at < whole.length) {
            const end = at + cut.next().value!
            yield whole.subarray(at, end)
            at = end
          }
        }
        let toServer = client.first
        for (let turn = 0; turn < 9; turn++) {
          let toClient: Uint8Array = new Uint8Array(0)
          for (const piece of pieces(toServer)) {
            const { send, request, refused } = server.push(new Uint8Array(piece))
            toClient = Buffer.concat([toClient, send])
            if (refused) throw refused
            if (!request) continue
            expect(request).toMatchObject({ ...ask.target, command: ask.command, version: ask.version })
            toClient = Buffer.concat([
              toClient,
              socksReply(ask.version, 0, { host: '::1', port: 7 }),
              Buffer.from('hi'),
            ])
          }
          toServer = new Uint8Array(0)
          let rest: Uint8Array | undefined
          for (const piece of pieces(toClient)) {
            if (rest) {
              rest = Buffer.concat([rest, piece])
              continue
            }
            const step = client.push(new Uint8Array(piece))
            toServer = Buffer.concat([toServer, step.send])
            rest = step.rest
          }
          if (!rest) continue
          expect(Buffer.from(rest).toString()).toBe('hi')
          return
        }
        expect.fail('no end')
      }),
      { numRuns: 300 },
    )
  })
})
