/** The keys of 3x-ui's clients: what its own panel enforces is enforced here, or said. */
import { describe, expect, test } from 'vitest'
import { unlimited } from '../../src/core/user-limits.ts'
import { codesOf, errorOf, inboundOf, load, uuid, vmessIn, warningOf } from './helpers.ts'

const at = 'inbounds[0].settings.clients[0]'
const file = (client: object, options?: { now: number }) =>
  load(vmessIn({ clients: [{ id: uuid, email: 'ann', ...client }] }), options)
const limitsOf = (client: object) => inboundOf(file(client), 'vmess').settings.users[0]!.limits

describe('clients of 3x-ui', () => {
  test('as the panel writes one without limits: none, and no word', () => {
    const notes = { tgId: '', subId: 'x1', comment: 'mine', created_at: 1.7e12, updated_at: 1.7e12 }
    const client = { limitIp: 0, totalGB: 0, expiryTime: 0, enable: true, reset: 0, ...notes }
    expect(limitsOf(client)).toBeUndefined()
    expect(codesOf(file(client))).toEqual([])
    expect(codesOf(load(vmessIn({ clients: [{ id: uuid, ...client }] })))).toEqual([])
  })

  test.each([
    [{ limitIp: 2 }, { addresses: 2 }],
    [{ totalGB: 53687091200 }, { quota: 50 * 2 ** 30 }],
    [{ expiryTime: 1798675200000 }, { expiresAt: Date.UTC(2026, 11, 31) }],
    [{ enable: false }, { enabled: false }],
  ])('%j', (client, limits) => {
    expect(limitsOf(client)).toEqual({ ...unlimited, ...limits })
  })

  test('"limits" beside them wins, key by key', () => {
    const client = { limitIp: 2, totalGB: 1e9, limits: { addresses: 3, uplink: '1 MB/s' } }
    expect(limitsOf(client)).toEqual({ ...unlimited, addresses: 3, quota: 1e9, uplink: 1e6 })
    expect(limitsOf({ totalGB: 1e9, limits: { quota: 0 } })).toEqual(unlimited)
  })

  test('a time below 0 is a duration from the first use', () => {
    expect(limitsOf({ expiryTime: -2592000000 })).toEqual({ ...unlimited, expiresAfterMs: 2_592_000_000 })
    warningOf(file({ expiryTime: -2592000000 }), 'CFG091', `${at}.expiryTime`)
  })

  test('reset is not applied, with what to do', () => {
    const problem = warningOf(file({ reset: 30 }), 'CFG030', `${at}.reset`)
    expect(problem.message).toContain('every 30 days')
    expect(problem.hint).toContain('/reset-usage')
  })

  test('a date that has passed, no e-mail, values of other kinds', () => {
    warningOf(file({ expiryTime: 1e12 }, { now: 1.7e12 }), 'CFG071', `${at}.expiryTime`)
    errorOf(load(vmessIn({ clients: [{ id: uuid, totalGB: 1 }] })), 'CFG069', `${at}.limits`)
    errorOf(file({ totalGB: -1 }), 'CFG023', `${at}.totalGB`)
    errorOf(file({ totalGB: '50 GB' }), 'CFG022', `${at}.totalGB`)
    errorOf(file({ enable: 'no' }), 'CFG022', `${at}.enable`)
  })
})
