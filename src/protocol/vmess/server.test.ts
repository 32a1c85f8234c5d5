import { describe, expect, it } from 'vitest'
import { concat, fromHex, pattern, sameBytes, vectorCases } from '../../../test/support/vectors.ts'
import {
  bytewise,
  cutAt,
  pushAll,
  startMs,
  testClient,
  testServer,
  testUser,
} from '../../../test/support/vmess-pair.ts'
import type { ErrorCode, ProxyError } from '../../core/errors.ts'
import { fnv1a32 } from '../../crypto/checksum.ts'
import { fakeClock, fakeRandom } from '../../testing/fakes.ts'
import { authIdSealer, sealAuthId } from './header/auth-id.ts'
import { legacyAuth } from './header/legacy-auth.ts'
import { type Command, encodeRequest, type RequestHeader } from './header/request.ts'
import { sealLegacyRequest, sealRequest } from './header/request-seal.ts'
import type { ServerSession } from './server.ts'
import { alterIds, commandKey, parseId } from './users/identity.ts'

const nowS = startMs / 1000
const random = fakeRandom(31)
const fresh = (length: number) => random.fill(new Uint8Array(length))

const header = (change: Partial<RequestHeader> = {}): RequestHeader => ({
  iv: fresh(16),
  key: fresh(16),
  v: 1,
  options: { chunkStream: true, chunkMasking: true, globalPadding: true, authenticatedLength: false },
  security: 'aes-128-gcm',
  command: 'tcp',
  target: { host: 'example.com', port: 443 },
  ...change,
})

const user = testUser(2)
const key = commandKey(user.id)
const plainOf = (change: Partial<RequestHeader> = {}) => encodeRequest(header(change), fresh(7))
const aead = (plain: Uint8Array, timeS = nowS) =>
  sealRequest(key, sealAuthId(authIdSealer(key), timeS, fresh(4)), fresh(8), plain)
const legacy = (plain: Uint8Array, timeS = nowS, id = alterIds(user.id, 2)[1]!) =>
  sealLegacyRequest(key, legacyAuth(id, timeS), timeS, plain)
const forms = { aead, legacy }
const bothForms = [['aead'], ['legacy']] as const

function refusal(session: ServerSession, wire: Uint8Array): ProxyError {
  try {
    session.push(wire.slice())
  } catch (error) {
    return error as ProxyError
  }
  throw new Error('nothing was refused')
}

/** The same refusal however the bytes arrive, and a dead session afterwards. */
function expectRefused(wire: Uint8Array, code: ErrorCode, message?: string, insecure = false): void {
  for (const pieces of [[wire], bytewise(wire)]) {
    const server = testServer([user])
    const session = server.accept(insecure)
    let thrown: ProxyError | undefined
    try {
      pushAll(session, pieces)
    } catch (error) {
      thrown = error as ProxyError
    }
    expect(thrown?.code).toBe(code)
    if (message !== undefined) expect(thrown?.message).toBe(message)
    expect(() => session.push(new Uint8Array(1))).toThrow(expect.objectContaining({ code: 'PROTOCOL_MISUSE' }))
    expect(session.end()).toBe(thrown)
  }
}

function resummed(plain: Uint8Array): Uint8Array {
  new DataView(plain.buffer).setUint32(plain.length - 4, fnv1a32(plain, 0, plain.length - 4))
  return plain
}

function changed(at: number, byte: number): Uint8Array {
  const plain = plainOf()
  plain[at] = byte
  return resummed(plain)
}

describe('refusals before the header', () => {
  it('unknown user', () => {
    expectRefused(fresh(100), 'VMESS_UNKNOWN_USER')
    const stranger = testUser(2, { id: new Uint8Array(16).fill(8) })
    for (const alterId of [0, 2]) {
      const client = testClient({ ...stranger, alterId }, testServer([]).clock)
      expectRefused(client.head(), 'VMESS_UNKNOWN_USER')
    }
  })

  it('legacy from a user without alternative ids', () => {
    const server = testServer([testUser(0)])
    const error = refusal(server.accept(), legacy(plainOf(), nowS, user.id))
    expect(error.code).toBe('VMESS_UNKNOWN_USER')
  })

  it.each([
    [-187, 'client clock is 187 s behind, limit 120 s (user love@example.com)'],
    [-121, 'client clock is 121 s behind, limit 120 s (user love@example.com)'],
    [121, 'client clock is 121 s ahead, limit 120 s (user love@example.com)'],
    [28_800, 'client clock is 28800 s ahead, limit 120 s (user love@example.com)'],
    [-nowS - 5, `client clock is ${nowS + 5} s behind, limit 120 s (user love@example.com)`],
  ])('AEAD clock off by %i s: named', (offset, message) => {
    expectRefused(aead(plainOf(), nowS + offset), 'VMESS_CLOCK_SKEW', message)
  })

  it.each([-120, 120])('clock off by exactly %i s: accepted in both modes', (offset) => {
    for (const form of [aead, legacy]) {
      expect(
        testServer([user])
          .accept()
          .push(form(plainOf(), nowS + offset))?.timeS,
      ).toBe(nowS + offset)
    }
  })

  it.each([-121, 121])('legacy clock off by %i s: not recognised', (offset) => {
    expectRefused(legacy(plainOf(), nowS + offset), 'VMESS_UNKNOWN_USER')
  })

  it('a user without e-mail is named by the beginning of the id only', () => {
    const server = testServer([testUser(0, { email: '' })])
    const { message } = refusal(server.accept(), aead(plainOf(), 0))
    expect(message).toBe(`client clock is ${nowS} s behind, limit 120 s (user b831381d…)`)
  })

  it.each([
    ['HTTP', 'these bytes are HTTP (GET …), not VMess', Buffer.from('GET / HTTP/1.1\r\nHost: a\r\n\r\n')],
    [
      'HTTP CONNECT',
      'these bytes are HTTP (CONNECT …), not VMess',
      Buffer.from('CONNECT a.example:443 HTTP/1.1\r\n\r\n'),
    ],
    ['TLS', 'these bytes are TLS, not VMess', fromHex('1603010200010001fc03030000000000000000')],
    ['SSH', 'these bytes are SSH, not VMess', Buffer.from('SSH-2.0-OpenSSH_9.2\r\n')],
    ['PROXY', 'these bytes are PROXY protocol, not VMess', Buffer.from('PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\n')],
    ['PROXY 2', 'these bytes are PROXY protocol, not VMess', fromHex('0d0a0d0a000d0a515549540a21110000')],
    ['SOCKS4', 'these bytes are SOCKS4, not VMess', fromHex('04010050010203046e6f626f64796865726500')],
    ['SOCKS5', 'these bytes are SOCKS5, not VMess', fromHex('05010005010003076578616d706c650050')],
  ])('foreign bytes: %s', (_, message, bytes) => {
    const wire = Uint8Array.from(bytes)
    const error = refusal(testServer([user]).accept(), wire)
    expect(error).toMatchObject({ code: 'VMESS_FOREIGN_PROTOCOL', message })
  })

  it('foreign bytes that stop short', () => {
    for (const [hex, kind] of [
      ['050100', 'SOCKS5'],
      ['0502000200', undefined],
      ['0401005001020304', 'SOCKS4'],
      ['040100500102030461', undefined],
      ['040100500102030400', 'SOCKS4'],
      ['160301', 'TLS'],
      ['1603010200010001', 'TLS'],
      ['160301020002', undefined],
      ['160501', undefined],
      ['00', undefined],
    ] as const) {
      const session = testServer([user]).accept()
      session.push(fromHex(hex))
      const error = session.end()
      if (kind === undefined) expect([hex, error.code]).toEqual([hex, 'TRUNCATED'])
      else expect(error.message).toBe(`these bytes are ${kind}, not VMess`)
    }
  })
})

describe('refusals of the sealed header', () => {
  it.each([16, 33, 34, 41])('length or nonce changed at %i', (at) => {
    const wire = aead(plainOf())
    wire[at]! ^= 1
    expectRefused(wire, 'VMESS_HEADER_AUTH_FAILED')
  })

  it('header changed', () => {
    const wire = aead(plainOf())
    wire[50]! ^= 1
    expectRefused(wire, 'VMESS_HEADER_AUTH_FAILED')
  })

  it('header shorter than its fixed part', () => {
    for (const length of [0, 1, 37]) expectRefused(aead(plainOf().subarray(0, length)), 'VMESS_HEADER_INVALID')
  })

  it('header that ends early', () => expectRefused(aead(plainOf().subarray(0, 45)), 'VMESS_HEADER_INVALID'))

  it('holds no more than the header that was announced', () => {
    const plain = concat(plainOf(), new Uint8Array(65_535 - plainOf().length))
    const wire = aead(plain)
    const { request, behind } = pushAll(
      testServer([user]).accept(),
      cutAt(concat(wire, pattern(10)), 5, 41, 43, 30_000),
    )
    expect(request?.target.host).toBe('example.com')
    sameBytes(concat(...behind), pattern(10))
  })
})

/** One test per row of what a server may meet in the fields. */
describe.each(bothForms)('odd values, %s', (mode) => {
  const form = forms[mode]
  const accepted = (plain: Uint8Array) => testServer([user]).accept().push(form(plain))

  it('version', () => expectRefused(form(changed(0, 2)), 'VMESS_HEADER_INVALID'))
  it('reserved byte', () => expect(accepted(changed(36, 9))).toBeDefined())
  it.each([0, 2, 6, 7, 15])('security %i', (id) => expectRefused(form(changed(35, 0x70 | id)), 'VMESS_HEADER_INVALID'))
  it.each([0, 4, 77])('command %i', (id) => expectRefused(form(changed(37, id)), 'VMESS_COMMAND_UNSUPPORTED'))
  it.each([0, 4, 16])('address type %i', (type) => expectRefused(form(changed(40, type)), 'VMESS_ADDRESS_INVALID'))
  it('domain of length 0', () => {
    const plain = resummed(concat(changed(35, 0x03).subarray(0, 41), fromHex('0000000000')))
    expectRefused(form(plain), 'VMESS_ADDRESS_INVALID')
  })
  it('domain with a space', () => expectRefused(form(changed(45, 0x20)), 'VMESS_ADDRESS_INVALID'))
  it('port 0', () =>
    expect(accepted(plainOf({ target: { host: '::1', port: 0 } }))?.target).toEqual({ host: '::1', port: 0 }))
  it('checksum', () => {
    const plain = plainOf()
    plain[45]! ^= 1
    expectRefused(form(plain), 'VMESS_CHECKSUM')
  })
  it('unknown option bits', () => expect(accepted(changed(34, 0xe3))?.options.chunkStream).toBe(true))
  it('padding without masking', () => expect(accepted(changed(34, 0x09))?.options.globalPadding).toBe(true))
  it('udp with security none and no options', () => {
    const none = { chunkStream: false, chunkMasking: false, globalPadding: false, authenticatedLength: false }
    expect(accepted(plainOf({ command: 'udp', security: 'none', options: none }))?.command).toBe('udp')
  })
  it.each(['none', 'aes-128-cfb'] as const)('security %s, as configured', (security) => {
    expect(accepted(plainOf({ security }))?.security).toBe(security)
    expectRefused(form(plainOf({ security })), 'VMESS_INSECURE_REFUSED', undefined, true)
  })
  it.each(['tcp', 'udp', 'mux'] as const)('command %s', (command: Command) => {
    expect(accepted(plainOf({ command }))?.command).toBe(command)
  })
  it('the same id, key and IV within three minutes', () => {
    const server = testServer([user])
    const same = header()
    const wire = () => form(encodeRequest(same, fresh(3)), server.clock.now() / 1000)
    expect(server.accept().push(wire())).toBeDefined()
    server.clock.advance(180_000)
    expect(refusal(server.accept(), wire()).message).toBe(
      'this session of user love@example.com was seen before: a replay',
    )
    server.clock.advance(1000)
    expect(server.accept().push(wire())).toBeDefined()
  })
})

describe('AEAD replays', () => {
  it('are refused until their own time is over, and then as a wrong clock', () => {
    for (const offset of [-120, 0, 120]) {
      const server = testServer([user])
      const wire = aead(plainOf(), nowS + offset)
      expect(server.accept().push(wire.slice())).toBeDefined()
      server.clock.advance((120 + offset) * 1000 + 999)
      const error = refusal(server.accept(), wire)
      expect(error).toMatchObject({
        code: 'VMESS_REPLAY',
        message: 'this authentication of user love@example.com was seen before: a replay',
      })
      server.clock.advance(1)
      expect(refusal(server.accept(), wire).code).toBe('VMESS_CLOCK_SKEW')
    }
  })

  it('are refused also when both connections are open before either header is complete', () => {
    const server = testServer([user])
    const wire = aead(plainOf())
    const first = server.accept()
    const second = server.accept()
    first.push(wire.slice(0, 60))
    second.push(wire.slice(0, 60))
    expect(first.push(wire.slice(60))).toBeDefined()
    expect(refusal(second, wire.subarray(60)).code).toBe('VMESS_REPLAY')
  })

  it('an AuthID is not remembered before its header has authenticated', () => {
    const server = testServer([user])
    const wire = aead(plainOf())
    const spoiled = wire.slice()
    spoiled[60]! ^= 1
    expect(refusal(server.accept(), spoiled).code).toBe('VMESS_HEADER_AUTH_FAILED')
    server.accept().push(wire.slice(0, 50))
    expect(server.replay.size).toBe(0)
    expect(server.accept().push(wire)).toBeDefined()
    expect(server.replay.size).toBe(1)
  })
})

describe('legacy authentications', () => {
  const auth = legacyAuth(alterIds(user.id, 2)[1]!, nowS)

  it('may be used many times by different sessions', () => {
    const server = testServer([user])
    for (let i = 0; i < 5; i++) expect(server.accept().push(legacy(plainOf()))).toBeDefined()
  })

  it.each<[string, boolean, (session: ServerSession, server: ReturnType<typeof testServer>) => void]>([
    [
      'a wrong checksum',
      true,
      (session) => {
        const plain = plainOf()
        plain[60]! ^= 1
        refusal(session, legacy(plain))
      },
    ],
    [
      'a repeated session',
      true,
      (session, server) => {
        const wire = legacy(plainOf())
        server.accept().push(wire.slice())
        refusal(session, wire)
      },
    ],
    [
      'an end inside padding or checksum',
      true,
      (session) => {
        session.push(legacy(plainOf()).slice(0, -1))
        expect(session.end().code).toBe('TRUNCATED')
      },
    ],
    ['an unknown address type', true, (session) => void refusal(session, legacy(changed(40, 9)))],
    [
      'an end within the fixed fields',
      false,
      (session) => {
        session.push(legacy(plainOf()).slice(0, 16 + 37))
        expect(session.end().code).toBe('TRUNCATED')
      },
    ],
    ['a bad domain', false, (session) => void refusal(session, legacy(changed(45, 0x20)))],
    ['a bad security', false, (session) => void refusal(session, legacy(changed(35, 0x76)))],
  ])('after %s: burnt %s', (_, burnt, spoil) => {
    const server = testServer([user])
    spoil(server.accept(), server)
    expect(server.replay.seen(auth, nowS)).toBe(burnt)
    if (!burnt) return void expect(server.accept().push(legacy(plainOf()))).toBeDefined()
    server.clock.advance(120_999)
    expect(refusal(server.accept(), legacy(plainOf())).code).toBe('VMESS_REPLAY')
    expect(server.accept().push(legacy(plainOf(), nowS + 1))).toBeDefined()
  })
})

describe('ends', () => {
  it('say how far it got', () => {
    const wire = aead(plainOf())
    for (const [length, message] of [
      [0, 'the peer closed without sending anything'],
      [7, 'the peer closed after 7 bytes'],
      [16, 'the request header stops after 16 bytes'],
      [wire.length - 1, `the request header stops after ${wire.length - 1} bytes`],
    ] as const) {
      const session = testServer([user]).accept()
      if (length > 0) session.push(wire.slice(0, length))
      expect(session.end()).toMatchObject({ code: 'TRUNCATED', message })
      expect(() => session.push(wire)).toThrow(expect.objectContaining({ code: 'PROTOCOL_MISUSE' }))
    }
  })

  it('a session is good for one request', () => {
    const session = testServer([user]).accept()
    session.push(aead(plainOf()))
    expect(() => session.push(new Uint8Array(0))).toThrow(expect.objectContaining({ code: 'PROTOCOL_MISUSE' }))
    expect(session.end().code).toBe('PROTOCOL_MISUSE')
  })

  it('a response header is given once', () => {
    const request = testServer([user]).accept().push(aead(plainOf()))!
    request.responseHead()
    expect(() => request.responseHead()).toThrow(expect.objectContaining({ code: 'PROTOCOL_MISUSE' }))
  })
})

describe('splits', () => {
  it.each(bothForms)('%s: cut in two at every place, the same request and the same rest', (mode) => {
    const rest = pattern(90)
    for (const command of ['tcp', 'mux'] as const) {
      const plain = plainOf({ command })
      const wire = concat(forms[mode](plain), rest)
      for (let cut = 0; cut <= wire.length; cut++) {
        const { request, behind } = pushAll(testServer([user]).accept(), cutAt(wire, cut))
        expect(request?.command).toBe(command)
        sameBytes(request!.keys.key, plain.subarray(17, 33))
        sameBytes(concat(...behind), rest)
      }
    }
  })
})

interface RecordedRequest {
  name: string
  aead: boolean
  uuid: string
  alter_id: number
  unix_time: number
  body_key: string
  wire: string
}

const recorded = vectorCases<RecordedRequest>('request_header').filter((c) => c.aead || c.alter_id > 0)

it.each(recorded)('recorded request "$name", whole, byte by byte and cut in two at every place', (c) => {
  const known = testUser(c.alter_id, { id: parseId(c.uuid) })
  const wire = fromHex(c.wire)
  const cuts = Array.from(wire, (_, cut) => cutAt(wire, cut))
  for (const pieces of [[wire], bytewise(wire), ...cuts]) {
    const { request } = pushAll(testServer([known], fakeClock(c.unix_time * 1000)).accept(), pieces)
    expect(request?.mode).toBe(c.aead ? 'aead' : 'legacy')
    sameBytes(request!.keys.key, fromHex(c.body_key))
    sameBytes(request!.rest, new Uint8Array(0))
  }
})
