import { describe, expect, it } from 'vitest'
import { fromHex, pattern, toHex, vectorCases } from '../../../../test/support/vectors.ts'
import { fnv1a32 } from '../../../crypto/checksum.ts'
import { createKeySearch } from '../../../crypto/key-search/create.ts'
import { parseUuid } from '../users/identity.ts'
import { LegacyTable } from '../users/legacy-table.ts'
import { authIdKey, authIdSealer, authIdTime, encodeAuthId, sealAuthId } from './auth-id.ts'
import { kdf, kdfInto } from './kdf.ts'
import { legacyAuth, legacyHeaderIv } from './legacy-auth.ts'

describe('key derivation', () => {
  it.each(vectorCases<{ key: string; path_hex: string[]; out: string }>('kdf'))('$path_hex', ({
    key,
    path_hex,
    out,
  }) => {
    expect(toHex(kdf(fromHex(key), ...path_hex.map(fromHex)))).toBe(out)
    const texts = path_hex.map((hex) => Buffer.from(hex, 'hex').toString('latin1'))
    const ascii = texts.every((text) => /^[ -~]*$/.test(text))
    if (ascii) for (let i = 0; i < 2; i++) expect(toHex(kdf(fromHex(key), ...texts))).toBe(out)
  })

  it('gives keys and nonces from the front', () => {
    const key = fromHex('0726456483a2c1e0ff1e3d5c7b9ab9d8')
    const [whole, path] = [kdf(key, 'one', fromHex('02'), fromHex('03')), [fromHex('02'), fromHex('03')]] as const
    expect(toHex(kdf(key, 'one', 'two'))).toMatch(/^71babdb85a1d020752bbace56cc00caa/)
    for (const length of [12, 16, 32]) {
      const into = new Uint8Array(length)
      kdfInto(into, key, 'one', ...path)
      expect(toHex(into)).toBe(toHex(whole.subarray(0, length)))
    }
  })
})

interface FnvCase {
  data?: string
  generator?: { length: number; offset: number }
  fnv1a32: string
}

it.each(vectorCases<FnvCase>('fnv1a'))('FNV-1a is $fnv1a32', ({ data, generator, fnv1a32: sum }) => {
  const bytes = generator ? pattern(generator.length, generator.offset) : fromHex(data!)
  expect(fnv1a32(bytes).toString(16).padStart(8, '0')).toBe(sum)
})

interface AuthIdCase {
  auth_id: string
  cmd_key: string
  plain16: string
  random4: string
  unix_time: number
}

function timeOf(commandKey: Uint8Array, authId: Uint8Array): number | undefined {
  const keys = createKeySearch()
  keys.set(0, authIdKey(commandKey))
  const plain = new Uint8Array(16)
  keys.open(0, authId, plain)
  return keys.matches(0, authId) ? authIdTime(plain) : undefined
}

describe('AuthID', () => {
  it.each(vectorCases<AuthIdCase>('auth_id'))('at $unix_time', (c) => {
    const key = fromHex(c.cmd_key)
    expect(toHex(encodeAuthId(c.unix_time, fromHex(c.random4)))).toBe(c.plain16)
    expect(toHex(sealAuthId(authIdSealer(key), c.unix_time, fromHex(c.random4)))).toBe(c.auth_id)
    for (let i = 0; i < 3; i++) expect(timeOf(key, fromHex(c.auth_id))).toBe(c.unix_time)
    const wrong = fromHex(c.auth_id)
    wrong[5]! ^= 1
    expect(timeOf(key, wrong)).toBeUndefined()
  })

  it('carries times before 1970', () => {
    const key = new Uint8Array(16).fill(3)
    const authId = sealAuthId(authIdSealer(key), -1_700_000_000, new Uint8Array(4))
    expect(timeOf(key, authId)).toBe(-1_700_000_000)
  })
})

/** The ids of one user. */
function madeTable(id: Uint8Array, alterId: number): LegacyTable {
  const table = new LegacyTable()
  table.set(0, id, alterId)
  table.make()
  return table
}

describe('legacy authentication', () => {
  it.each(vectorCases<{ uuid: string; unix_time: number; hash: string }>('legacy_auth'))('$uuid at $unix_time', (c) => {
    const id = parseUuid(c.uuid)
    expect(toHex(legacyAuth(id, c.unix_time))).toBe(c.hash)
    const table = madeTable(id, 2)
    expect(table.find(fromHex(c.hash), c.unix_time, c.unix_time, 0, 3)).toBe(0)
    expect(table.find(fromHex(c.hash), c.unix_time + 1, c.unix_time, 0, 3)).toBe(-1)
  })

  it.each(vectorCases<{ unix_time: number; iv: string }>('legacy_header_iv'))('header IV at $unix_time', (c) => {
    expect(toHex(legacyHeaderIv(c.unix_time))).toBe(c.iv)
  })
})
