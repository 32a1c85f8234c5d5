import { describe, expect, it } from 'vitest'
import { fromHex, toHex, vectorCases } from '../../../../test/support/vectors.ts'
import type { ErrorCode } from '../../../core/errors.ts'
import { createCfb } from '../../../crypto/cfb.ts'
import { fnv1a32 } from '../../../crypto/checksum.ts'
import { createKeySearch } from '../../../crypto/key-search/create.ts'
import type { Security } from '../body/body.ts'
import { alterIds, commandKey, parseUuid } from '../users/identity.ts'
import { authIdKey, authIdSealer, sealAuthId } from './auth-id.ts'
import { legacyAuth, legacyHeaderIv } from './legacy-auth.ts'
import { type Command, decodeOptions, decodeRequest, encodeRequest, muxTarget, requestLength } from './request.ts'
import {
  aeadHeadLength,
  openRequest,
  openRequestLength,
  sealedRequestLength,
  sealLegacyRequest,
  sealRequest,
} from './request-seal.ts'

interface HeaderCase {
  name: string
  aead: boolean
  uuid: string
  alter_id: number
  unix_time: number
  address?: { type: string; value: string }
  port: number
  body_iv: string
  body_key: string
  response_v: number
  command: number
  option: number
  security: number
  padding: string
  plain_header: string
  wire: string
}

interface SealedCase {
  auth_id: string
  auth_id_random4: string
  cmd_key: string
  connection_nonce: string
  payload: string
  sealed: string
  unix_time: number
}

const securities: Record<number, Security> = { 1: 'aes-128-cfb', 3: 'aes-128-gcm', 4: 'chacha20-poly1305', 5: 'none' }
const commands: Record<number, Command> = { 1: 'tcp', 2: 'udp', 3: 'mux' }

const headerOf = (c: HeaderCase) => ({
  iv: fromHex(c.body_iv),
  key: fromHex(c.body_key),
  v: c.response_v,
  options: decodeOptions(c.option),
  security: securities[c.security]!,
  command: commands[c.command]!,
  target: c.address ? { host: c.address.value, port: c.port } : muxTarget,
})

/** Sets the last four bytes right after a test has changed the others. */
function withChecksum(plain: Uint8Array): Uint8Array {
  new DataView(plain.buffer).setUint32(plain.length - 4, fnv1a32(plain, 0, plain.length - 4))
  return plain
}

const codeOf = (run: () => unknown): ErrorCode | undefined => {
  try {
    run()
    return undefined
  } catch (error) {
    return (error as { code: ErrorCode }).code
  }
}

describe('recorded request headers', () => {
  const cases = vectorCases<HeaderCase>('request_header')

  it.each(cases)('$name: fields', (c) => {
    expect(toHex(encodeRequest(headerOf(c), fromHex(c.padding)))).toBe(c.plain_header)
    expect(decodeRequest(fromHex(c.plain_header))).toEqual(headerOf(c))
    for (let cut = 0; cut < c.plain_header.length / 2; cut++) {
      expect(requestLength(fromHex(c.plain_header).subarray(0, cut))).toBeGreaterThan(cut)
    }
    expect(requestLength(fromHex(c.plain_header))).toBe(c.plain_header.length / 2)
  })

  it.each(cases.filter((c) => c.aead))('$name: sealed', (c) => {
    const wire = fromHex(c.wire)
    const key = commandKey(parseUuid(c.uuid))
    const keys = createKeySearch()
    keys.set(0, authIdKey(key))
    expect(keys.matches(0, wire.subarray(0, 16))).toBe(true)
    expect(sealedRequestLength(openRequestLength(key, wire.subarray(0, aeadHeadLength))!)).toBe(wire.length)
    expect(toHex(openRequest(key, wire)!)).toBe(c.plain_header)
    expect(toHex(sealRequest(key, wire.subarray(0, 16), wire.subarray(34, 42), fromHex(c.plain_header)))).toBe(c.wire)
    for (const at of [0, 16, 34]) {
      const changed = fromHex(c.wire)
      changed[at]! ^= 1
      expect(openRequestLength(key, changed.subarray(0, aeadHeadLength))).toBeUndefined()
      expect(openRequest(key, changed)).toEqual(at === 16 ? fromHex(c.plain_header) : undefined)
    }
  })

  it.each(cases.filter((c) => !c.aead))('$name: legacy', (c) => {
    const wire = fromHex(c.wire)
    const id = parseUuid(c.uuid)
    const ids = [id, ...alterIds(id, c.alter_id)]
    const used = ids.findIndex((each) => toHex(legacyAuth(each, c.unix_time)) === toHex(wire.subarray(0, 16)))
    expect(used > 0).toBe(c.alter_id > 0)
    const auth = legacyAuth(ids[used]!, c.unix_time)
    expect(toHex(sealLegacyRequest(commandKey(id), auth, c.unix_time, fromHex(c.plain_header)))).toBe(c.wire)
    const plain = new Uint8Array(wire.length - 16)
    createCfb('decrypt', commandKey(id), legacyHeaderIv(c.unix_time)).update(wire.subarray(16), plain, 0)
    expect(toHex(plain)).toBe(c.plain_header)
  })
})

it.each(vectorCases<SealedCase>('aead_sealed'))('sealing of "$payload"', (c) => {
  const key = fromHex(c.cmd_key)
  const authId = sealAuthId(authIdSealer(key), c.unix_time, fromHex(c.auth_id_random4))
  expect(toHex(authId)).toBe(c.auth_id)
  expect(toHex(sealRequest(key, authId, fromHex(c.connection_nonce), fromHex(c.payload)))).toBe(c.sealed)
  expect(openRequestLength(key, fromHex(c.sealed))).toBe(c.payload.length / 2)
  expect(toHex(openRequest(key, fromHex(c.sealed))!)).toBe(c.payload)
})

describe('targets', () => {
  const base = headerOf(vectorCases<HeaderCase>('request_header')[0]!)
  const encode = (host: string, port = 80, path?: string) =>
    encodeRequest({ ...base, target: { host, port, ...(path && { path }) } }, new Uint8Array(0))
  const roundTrip = (host: string) => decodeRequest(encode(host)).target.host

  it('travel as what they are', () => {
    expect(roundTrip('example.com')).toBe('example.com')
    expect(roundTrip('_srv.a-b.example')).toBe('_srv.a-b.example')
    expect(roundTrip('1.2.3.4')).toBe('1.2.3.4')
    expect(roundTrip('2001:db8:0:0::1')).toBe('2001:db8::1')
    expect(roundTrip('[::1]')).toBe('::1')
    expect(roundTrip('::ffff:9.8.7.6')).toBe('9.8.7.6')
    expect(encode('::ffff:9.8.7.6')[40]).toBe(1)
    expect(roundTrip('a'.repeat(255))).toBe('a'.repeat(255))
  })

  it('are refused when no server would take them', () => {
    for (const host of ['', 'a'.repeat(256), 'bücher.example', 'a b', 'fe80::1%eth0', 'a:b']) {
      expect(codeOf(() => encode(host))).toBe('ADDRESS_INVALID')
    }
    for (const port of [-1, 65536, 1.5, Number.NaN]) expect(codeOf(() => encode('a', port))).toBe('ADDRESS_INVALID')
    expect(codeOf(() => encode('localhost', 0, '/run/x.sock'))).toBe('ADDRESS_INVALID')
    expect(codeOf(() => encode('127.0.0.1', 0, '/run/x.sock'))).toBe('ADDRESS_INVALID')
  })
})

/** One test per row of what a server may meet in the fields; offsets as in the diagram of request.ts. */
describe('odd values', () => {
  const gcm = headerOf(vectorCases<HeaderCase>('request_header')[0]!)
  const plainOf = (host = 'example.com', padding = 3) =>
    encodeRequest({ ...gcm, target: { host, port: 443 } }, new Uint8Array(padding))
  const set = (at: number, byte: number, plain = plainOf()) => {
    plain[at] = byte
    return withChecksum(plain)
  }
  const code = (plain: Uint8Array) => codeOf(() => decodeRequest(plain))
  /** Fields with this address type and these address bytes. */
  const addressed = (type: number, ...bytes: number[]) =>
    withChecksum(Uint8Array.of(...set(35, 0x03).subarray(0, 40), type, ...bytes, 0, 0, 0, 0))
  const domain = (text: string) => addressed(2, text.length, ...Buffer.from(text, 'latin1'))

  it('version: only 1', () => {
    for (const version of [0, 2, 255]) expect(code(set(0, version))).toBe('VMESS_HEADER_INVALID')
  })
  it('reserved byte: anything', () => expect(code(set(36, 0xff))).toBeUndefined())
  it.each([0, 2, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15])('security %i: refused', (id) => {
    expect(code(set(35, 0x30 | id))).toBe('VMESS_HEADER_INVALID')
  })
  it.each([1, 3, 4, 5])('security %i: accepted', (id) => {
    expect(decodeRequest(set(35, 0x30 | id)).security).toBe(securities[id])
  })
  it.each([0, 4, 5, 255])('command %i: refused', (id) => {
    expect(code(set(37, id))).toBe('VMESS_COMMAND_UNSUPPORTED')
  })
  it.each([0, 4, 15, 16, 255])('address type %i: refused', (type) => {
    expect(code(set(40, type))).toBe('VMESS_ADDRESS_INVALID')
  })
  it('domain of length 0: refused', () => expect(code(domain(''))).toBe('VMESS_ADDRESS_INVALID'))
  it.each(['bücher.example', 'a b', 'a:b', 'a/b', 'a\0b', '[x]'])('domain %j: refused', (text) => {
    expect(code(domain(text))).toBe('VMESS_ADDRESS_INVALID')
  })
  it.each([
    ['8.8.8.8', '8.8.8.8'],
    ['[::1]', '::1'],
    ['fe80::1', 'fe80::1'],
    ['1.2.3.400', '1.2.3.400'],
    ['9gag.example', '9gag.example'],
  ])('domain text %s: taken for %s', (text, host) => {
    expect(decodeRequest(domain(text)).target.host).toBe(host)
  })
  it('IPv6 type with a v4-mapped address: IPv4', () => {
    const plain = addressed(3, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 1, 2, 3, 4)
    expect(decodeRequest(plain).target.host).toBe('1.2.3.4')
  })
  it('port 0: accepted', () => {
    const plain = plainOf()
    plain.fill(0, 38, 40)
    expect(decodeRequest(withChecksum(plain)).target.port).toBe(0)
  })
  it('checksum wrong: refused', () => {
    const plain = plainOf()
    plain[plain.length - 1]! ^= 1
    expect(code(plain)).toBe('VMESS_CHECKSUM')
  })
  it('bytes behind the checksum: ignored', () => {
    expect(decodeRequest(Uint8Array.of(...plainOf(), 1, 2, 3))).toEqual(decodeRequest(plainOf()))
  })
  it('padding longer than what is left: refused', () => {
    expect(code(set(35, 0xf3))).toBe('VMESS_HEADER_INVALID')
  })
  it('unknown option bits, and 0x08 without 0x04: accepted', () => {
    expect(decodeRequest(set(34, 0xe2)).options).toEqual(decodeOptions(0))
    expect(decodeRequest(set(34, 0x09)).options).toMatchObject({ globalPadding: true, chunkMasking: false })
  })
  it('udp without options: accepted', () => {
    const plain = set(34, 0)
    plain[37] = 2
    expect(decodeRequest(withChecksum(plain)).command).toBe('udp')
  })
})
