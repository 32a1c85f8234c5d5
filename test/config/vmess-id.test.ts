/** The id of a user, in every accepted and refused form. */
import { describe, expect, test } from 'vitest'
import { formatUuid } from '../../src/protocol/vmess/users/identity.ts'
import { errorOf, load, quietConfigOf, userOf, uuid, vmessOut, warningOf } from './helpers.ts'

const user = 'outbounds[0].settings.vnext[0].users[0]'

describe('id', () => {
  const idOf = (id: string) => formatUuid(userOf(load(vmessOut({ id }))).id)

  test.each([
    ['我爱🍉老师1314', '5783a3e7-e373-51cd-8642-c83782b807c5'],
    ['example', 'feb54431-301b-52bb-a6dd-e1e93e81bb9e'],
    ['a', '35b65f33-a679-5e76-af3c-273ea349ede4'],
    ['012345678901234567890123456789', 'f419e679-3adc-5ca0-8896-f8785ab48bf9'],
    ['8E3D2F6A51C74B0E9A446F0B7D1C2E95', uuid],
    ['-8e3d2f6a51c7-4b0e9a44-6f0b7d1c2e95', uuid],
  ])('%s', (id, expected) => {
    quietConfigOf(load(vmessOut({ id })))
    expect(idOf(id)).toBe(expected)
  })

  test('blanks around a UUID and text behind it are left out with a warning', () => {
    for (const id of [` ${uuid}`, `${uuid}\n`, `${uuid}-more`]) {
      expect(idOf(id)).toBe(uuid)
      warningOf(load(vmessOut({ id })), 'CFG052', `${user}.id`)
    }
  })

  test('blanks around a custom id are part of it, with a warning', () => {
    expect(idOf(' hello')).not.toBe(idOf('hello'))
    warningOf(load(vmessOut({ id: ' hello' })), 'CFG052', `${user}.id`)
  })

  test.each(['8e3d2f6a-51c7-4b0e-9a44', '8e3d2f6a-51c7-4b0e-9a44-6f0b7d'])('the cut UUID %s warns', (id) => {
    const problem = warningOf(load(vmessOut({ id })), 'CFG052', `${user}.id`)
    expect(problem.message).toBe('"8e3d2f6a…" looks like a UUID with a part missing, and is taken for a custom id')
  })

  test('the nil UUID warns', () => {
    warningOf(load(vmessOut({ id: '00000000-0000-0000-0000-000000000000' })), 'CFG053', `${user}.id`)
  })

  test.each([
    ['', 'the id is empty'],
    ['hello-wrld-hello-wrld-hello-wrl', 'a 31-byte string is neither a UUID (32 to 36 hex characters) nor a custom id'],
    ['8e3d2f6a-51c7-4b0e-9a44-6f0b7d1g2e95', 'character 32, "g", is no hex digit'],
    ['8e3d2f6a-51c7-4b0e-9a44-6f0b7d1c2e', 'it has 30 hex digits, not 32 in groups of 8-4-4-4-12'],
    ['8e3d2f6a51-c74b0e-9a44-6f0b7d1c2e95', 'its hyphens are not in groups of 8-4-4-4-12'],
    [`{${uuid}}`, 'a UUID with braces around it'],
    [`urn:uuid:${uuid}`, 'a UUID with a prefix around it'],
    ['æˆ‘çˆ±ðŸ‰è€å¸ˆ1314', 'looks mis-encoded'],
    ['我们都爱吃西瓜和苹果香蕉', 'a custom id has at most 30 bytes, this one has 36'],
  ])('%j is an error', (id, message) => {
    const problem = errorOf(load(vmessOut({ id })), 'CFG051', `${user}.id`)
    expect(problem.message).toContain(message)
    expect(problem.hint).toBeTruthy()
    if (id.length > 8) expect(`${problem.message} ${problem.hint}`).not.toContain(id.slice(0, 12))
  })
})
