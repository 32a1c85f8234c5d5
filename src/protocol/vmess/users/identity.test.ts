import { describe, expect, it } from 'vitest'
import { fromHex, toHex, vectorCases } from '../../../../test/support/vectors.ts'
import { isProxyError, type ProxyError } from '../../../core/errors.ts'
import { alterIds, commandKey, customId, formatUuid, nextAlterId, parseId, parseUuid } from './identity.ts'

interface IdCase {
  text: string
  ok: boolean
  hex?: string
  canonical?: string
}

const failure = (run: () => unknown): ProxyError => {
  try {
    run()
  } catch (error) {
    if (isProxyError(error)) return error
    throw error
  }
  throw new Error('nothing was thrown')
}

describe('id texts', () => {
  for (const [group, parse] of [
    ['uuid_custom', parseId],
    ['uuid_parse', parseUuid],
  ] as const) {
    it.each(vectorCases<IdCase>(group))(`${group}: $text`, ({ text, ok, hex, canonical }) => {
      if (!ok) return expect(failure(() => parse(text)).code).toBe('USER_INVALID_ID')
      expect(toHex(parse(text))).toBe(hex)
      expect(formatUuid(parse(text))).toBe(canonical)
    })
  }

  it('counts UTF-8 bytes, not characters', () => {
    expect(toHex(parseId('é'.repeat(15)))).toBe(toHex(customId('é'.repeat(15))))
    expect(failure(() => parseId('é'.repeat(16))).code).toBe('USER_INVALID_ID')
  })

  it('never repeats the text in the message, and says what is wanted', () => {
    const secret = 'b831381d-6324-4d53-ad4f-8cda48b3081x'
    const error = failure(() => parseId(secret))
    expect(error.message).toBe(
      'the user id, 36 bytes long, is not a UUID: neither a UUID nor a custom string of 1 to 30 bytes',
    )
    expect(`${error.message}${error.hint}`).not.toContain(secret)
    expect(error.hint).toContain('vmess uuid')
  })
})

describe('keys of an id', () => {
  it.each(vectorCases<{ uuid: string; cmd_key: string }>('cmd_key'))('command key of $uuid', ({ uuid, cmd_key }) => {
    expect(toHex(commandKey(parseUuid(uuid)))).toBe(cmd_key)
  })

  it.each(
    vectorCases<{ uuid: string; alter_ids: string[]; own_cmd_keys_not_used_on_the_wire: string[] }>('alter_ids'),
  )('alternative ids of $uuid', (c) => {
    const ids = alterIds(parseUuid(c.uuid), 4)
    expect(ids.map(toHex)).toEqual(c.alter_ids)
    expect(toHex(nextAlterId(fromHex(c.alter_ids[2]!)))).toBe(c.alter_ids[3])
    expect(ids.map((id) => toHex(commandKey(id)))).toEqual(c.own_cmd_keys_not_used_on_the_wire)
  })
})
