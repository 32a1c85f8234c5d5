import { describe, expect, it, test } from 'vitest'
import { limitsInput } from '../../api/http/requests.ts'
import { ProxyError } from '../../core/errors.ts'
import { limitsSchema } from './user-limits.ts'
import { readNewUser, readUserChange } from './user-request.ts'

const now = Date.UTC(2026, 10, 20)

describe('a user who is added', () => {
  it('is read in the words and units of the file', () => {
    const limits = { downlink: '2 MB/s', quota: '1 GB', expires: '2026-12-31', addressGrace: 5, connections: 2 }
    expect(readNewUser({ email: 'ann', level: 1, limits }, now)).toEqual({
      email: 'ann',
      level: 1,
      limits: {
        downlink: 2_000_000,
        quota: 1e9,
        expiresAt: Date.UTC(2027, 0, 1),
        addressGraceS: 5,
        connections: 2,
      },
      warnings: [],
    })
  })

  test.each([
    [{ limits: { downlink: '2 Gbit/h' } }, 'limits.downlink', '"2 Gbit/h"', undefined],
    [{ limits: { downlink: 'fast' } }, 'limits.downlink', 'a speed such as "5 MB/s"', undefined],
    [{ limits: { downlink: '5 M' } }, 'limits.downlink', '"5 M"', 'bytes or bits'],
    [{ limits: { quota: -1 } }, 'limits.quota', '-1', undefined],
    [{ limits: { quota: Number.NaN } }, 'limits.quota', 'NaN', undefined],
    [{ limits: { quota: Number.POSITIVE_INFINITY } }, 'limits.quota', 'Infinity', undefined],
    [{ limits: { quota: 0.5 } }, 'limits.quota', '0.5', undefined],
    [{ limits: { quota: '100 Gb' } }, 'limits.quota', '"100 Gb"', 'bits'],
    [{ limits: { expires: 'soon' } }, 'limits.expires', '"soon"', undefined],
    [{ limits: { expires: new Date(0) } }, 'limits.expires', 'an object', undefined],
    [{ limits: { expires: 1.8e12 } }, 'limits.expires', '1800000000000', 'milliseconds'],
    [{ limits: { expiresAt: 5 } }, 'limits.expiresAt', 'unknown key', 'expires'],
    [{ limits: { addressGraceS: 5 } }, 'limits.addressGraceS', 'unknown key', 'addressGrace'],
    [{ limits: { enabled: null } }, 'limits.enabled', 'null', undefined],
    [{ limits: { quotta: null } }, 'limits.quotta', 'null', undefined],
    [{ limits: 5 }, 'limits', 'an object', undefined],
    [{ limits: { connections: '3' } }, 'limits.connections', '"3"', '3 without the quotes'],
    [{ quota: '1 GB' }, 'quota', 'unknown key', undefined],
    [{ expires: '2020-01-01' }, 'expires', 'unknown key', undefined],
    [{ level: -5 }, 'level', '-5', undefined],
    [{ level: 1.5 }, 'level', '1.5', undefined],
    [{ alterId: 65_536 }, 'alterId', '65536', undefined],
    [{ email: 5 }, 'email', '5', undefined],
    [{ id: 7 }, 'id', 'found', undefined],
  ])('is refused with %j, by the name of the field, what was found and what was expected', (request, field, said, hint) => {
    const error = refusal(() => readNewUser({ email: 'ann', ...request }, now))
    expect(error).toMatchObject({ code: 'CONTROL_INVALID', field })
    expect(error.message.startsWith(`${field}: `)).toBe(true)
    expect(error.message).toContain(said)
    if (hint !== undefined) expect(error.hint).toContain(hint)
  })

  it.each([null, undefined, [], 'ann', {}])('is refused when it is %j', (request) => {
    expect(refusal(() => readNewUser(request, now)).code).toBe('CONTROL_INVALID')
  })

  it('is not without an end because the end is long past', () => {
    expect(readNewUser({ email: 'a', limits: { expires: '1969-12-30' } }, now).limits?.expiresAt).toBe(1)
    const { limits, warnings } = readNewUser({ email: 'a', limits: { expires: '2020-01-01' } }, now)
    expect(limits).toEqual({ expiresAt: Date.UTC(2020, 0, 2) })
    expect(warnings).toMatchObject([{ code: 'CFG071', path: 'limits.expires' }])
  })

  it('never has a whole id in what is said of it', () => {
    const id = 'b831381d-6324-4d53-ad4f-8cda48b30811'
    expect(refusal(() => readNewUser({ email: 'a', limits: id }, now)).message).not.toContain(id)
  })
})

describe('a change', () => {
  it('has what it names, and null takes a limit away', () => {
    const request = {
      limits: { quota: null, expires: null, expiresAfter: null, downlink: null, connections: null, uplink: 0 },
    }
    const none = { quota: 0, expiresAt: 0, expiresAfterMs: 0, downlink: 0, connections: 0, uplink: 0 }
    expect(readUserChange(request, now)).toEqual({ limits: none, warnings: [] })
    expect(readUserChange({ level: 2, limits: undefined }, now)).toEqual({ level: 2, warnings: [] })
  })

  it.each([{ email: 'b' }, { limit: { quota: 1 } }, { quota: 1 }])('is refused with %j', (request) => {
    expect(refusal(() => readUserChange(request, now))).toMatchObject({ field: Object.keys(request)[0] })
  })
})

it('has the names that the HTTP API knows', () => {
  expect(Object.keys(limitsInput.shape).sort()).toEqual(Object.keys(limitsSchema.shape).sort())
})

function refusal(read: () => unknown): ProxyError {
  try {
    read()
  } catch (error) {
    if (error instanceof ProxyError) return error
    throw error
  }
  throw new Error('it was not refused')
}
