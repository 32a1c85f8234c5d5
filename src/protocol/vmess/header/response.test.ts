import { describe, expect, it } from 'vitest'
import { fromHex, toHex, vectorCases } from '../../../../test/support/vectors.ts'
import { createCfb } from '../../../crypto/cfb.ts'
import { fnv1a32 } from '../../../crypto/checksum.ts'
import { decodeSwitchAccount, encodeSwitchAccount, type SwitchAccount } from '../switch-account.ts'
import {
  decodeResponse,
  encodeResponse,
  openResponse,
  openResponseLength,
  responseKeys,
  responseLength,
  sealResponse,
} from './response.ts'

interface ResponseCase {
  name: string
  aead: boolean
  body_key: string
  body_iv: string
  option: number
  response_v: number
  switch_account?: { host: string; port: number; id: string; alter_ids: number; level: number; valid_min: number }
  wire: string
}

const accountOf = (c: ResponseCase): SwitchAccount | undefined =>
  c.switch_account && {
    host: c.switch_account.host.replace(/^\[|\]$/g, ''),
    port: c.switch_account.port,
    id: fromHex(c.switch_account.id),
    alterId: c.switch_account.alter_ids,
    level: c.switch_account.level,
    validMinutes: c.switch_account.valid_min,
  }

describe('recorded response headers', () => {
  it.each(vectorCases<ResponseCase>('response_header'))('$name, aead $aead', (c) => {
    const keys = responseKeys(c.aead ? 'aead' : 'legacy', fromHex(c.body_key), fromHex(c.body_iv))
    const command = accountOf(c)
    const header = { v: c.response_v, options: c.option, ...(command && { command }) }
    const wire = fromHex(c.wire)
    let plain = encodeResponse(header)
    if (c.aead) {
      expect(toHex(sealResponse(keys, plain))).toBe(c.wire)
      expect(openResponseLength(keys, wire.subarray(0, 18))).toBe(wire.length - 18)
      plain = openResponse(keys, wire.subarray(18))!
      const changed = fromHex(c.wire)
      changed[0]! ^= 1
      changed[18]! ^= 1
      expect(openResponseLength(keys, changed.subarray(0, 18))).toBeUndefined()
      expect(openResponse(keys, changed.subarray(18))).toBeUndefined()
    } else {
      const sent = new Uint8Array(plain.length)
      createCfb('encrypt', keys.key, keys.iv).update(plain, sent, 0)
      expect(toHex(sent)).toBe(c.wire)
      createCfb('decrypt', keys.key, keys.iv).update(wire, plain, 0)
    }
    expect(decodeResponse(plain, c.response_v)).toEqual(header)
    expect(responseLength(plain.subarray(0, 4))).toBe(plain.length)
  })

  it('leaves out a command whose host has 229 bytes', () => {
    const account = { host: 'h'.repeat(229), port: 1, id: new Uint8Array(16), alterId: 0, level: 0, validMinutes: 1 }
    expect(encodeSwitchAccount(account)).toBeUndefined()
    expect(toHex(encodeResponse({ v: 7, options: 0, command: account }))).toBe('07000000')
  })
})

describe('response fields', () => {
  const account: SwitchAccount = {
    host: 'example.com',
    port: 443,
    id: new Uint8Array(16).fill(9),
    alterId: 3,
    level: 1,
    validMinutes: 5,
  }
  const data = encodeSwitchAccount(account)!
  const fields = (id: number, bytes: Uint8Array) => Uint8Array.of(7, 0, id, bytes.length, ...bytes)

  it('must repeat the byte of the request', () => {
    expect(() => decodeResponse(Uint8Array.of(7, 0, 0, 0), 8)).toThrow(
      expect.objectContaining({ code: 'RESPONSE_MISMATCH' }),
    )
  })
  it('must be four bytes at least', () => {
    expect(() => decodeResponse(Uint8Array.of(7, 0, 0), 7)).toThrow(
      expect.objectContaining({ code: 'RESPONSE_AUTH_FAILED' }),
    )
  })
  it('have no data when there is no command, whatever their length says', () => {
    expect(responseLength(Uint8Array.of(7, 0, 0, 200))).toBe(4)
    expect(decodeResponse(Uint8Array.of(7, 0, 0, 200), 7).command).toBeUndefined()
  })
  it('ignore a command that makes no sense', () => {
    expect(decodeResponse(fields(1, data), 7).command).toEqual(account)
    expect(decodeResponse(fields(2, data), 7).command).toBeUndefined()
    expect(decodeResponse(fields(1, data.subarray(0, 20)), 7).command).toBeUndefined()
    const wrongSum = data.slice()
    wrongSum[0]! ^= 1
    expect(decodeResponse(fields(1, wrongSum), 7).command).toBeUndefined()
    expect(decodeResponse(fields(1, data).subarray(0, 30), 7).command).toBeUndefined()
  })
  it('ignore what is behind the command', () => {
    expect(decodeResponse(Uint8Array.of(...fields(1, data), 1, 2, 3), 7).command).toEqual(account)
  })
})

describe('switch account', () => {
  const resummed = (payload: Uint8Array): Uint8Array => {
    const data = Uint8Array.of(0, 0, 0, 0, ...payload)
    new DataView(data.buffer).setUint32(0, fnv1a32(payload))
    return data
  }
  const account = {
    host: '',
    port: 0xfffe,
    id: new Uint8Array(16).fill(1),
    alterId: 0x1234,
    level: 300,
    validMinutes: 999,
  }

  it('caps level and minutes at a byte', () => {
    expect(decodeSwitchAccount(encodeSwitchAccount(account)!)).toEqual({ ...account, level: 255, validMinutes: 255 })
  })
  it('needs 23 bytes besides the host, and ignores what follows them', () => {
    const payload = encodeSwitchAccount({ ...account, host: 'a.b' })!.subarray(4)
    expect(payload.length).toBe(26)
    expect(decodeSwitchAccount(resummed(payload))?.host).toBe('a.b')
    expect(decodeSwitchAccount(resummed(payload.subarray(0, 25)))).toBeUndefined()
    expect(decodeSwitchAccount(resummed(Uint8Array.of(...payload, 5)))?.port).toBe(0xfffe)
  })
  it('reads IPv6 with and without brackets, and no impossible host', () => {
    const withHost = (host: string) =>
      decodeSwitchAccount(resummed(Uint8Array.of(host.length, ...Buffer.from(host), ...new Uint8Array(22))))?.host
    expect(withHost('[2001:db8::5]')).toBe('2001:db8::5')
    expect(withHost('2001:db8::5')).toBe('2001:db8::5')
    expect(withHost('a b')).toBeUndefined()
  })
})
