/** `limits` of a user: one test per field. */
import { describe, expect, test } from 'vitest'
import { unlimited } from '../../../src/core/user-limits.ts'
import { limitsSchema } from '../../../src/schema/parts/user-limits.ts'
import {
  codesOf,
  configOf,
  errorOf,
  inboundOf,
  load,
  otherUuid,
  quietConfigOf,
  uuid,
  vmessIn,
  vmessOut,
  warningOf,
  withOutbound,
} from '../helpers.ts'

const at = (key: string) => `inbounds[0].settings.clients[0].limits.${key}`
const now = Date.UTC(2026, 10, 20)
const file = (limits: unknown, user: object = { email: 'a@b' }) =>
  load({ ...vmessIn({ clients: [{ id: uuid, ...user, limits }] }), accounting: 'usage.db' }, { now })
const limitsOf = (limits: unknown) => {
  const result = file(limits)
  quietConfigOf(result)
  return inboundOf(result, 'vmess').settings.users[0]!.limits
}

test('absent, null or empty: none', () => {
  expect(limitsOf(undefined)).toBeUndefined()
  expect(limitsOf(null)).toBeUndefined()
  expect(limitsOf({})).toBeUndefined()
  expect('limits' in inboundOf(load(vmessIn({ clients: [{ id: uuid }] })), 'vmess').settings.users[0]!).toBe(false)
})

test('what is not given has no bound', () => {
  expect(limitsOf({ connections: 3 })).toEqual({ ...unlimited, connections: 3 })
})

test('everything together, also under Xray’s name of the list', () => {
  const limits = {
    enabled: true,
    uplink: '5 MB/s',
    downlink: '40 Mbit/s',
    connections: 10,
    addresses: 2,
    addressGrace: 30,
    quota: '100 GB',
    expires: '2026-12-31',
    expiresAfter: '30 days',
  }
  const expected = {
    enabled: true,
    uplink: 5_000_000,
    downlink: 5_000_000,
    connections: 10,
    addresses: 2,
    addressGraceS: 30,
    quota: 100_000_000_000,
    expiresAt: Date.UTC(2027, 0, 1),
    expiresAfterMs: 2_592_000_000,
  }
  expect(limitsOf(limits)).toEqual(expected)
  const result = load({ ...vmessIn({ users: [{ id: uuid, email: 'a', limits }, otherUuid] }), accounting: 'usage.db' })
  quietConfigOf(result)
  expect(inboundOf(result, 'vmess').settings.users.map((user) => user.limits)).toEqual([expected, undefined])
})

test('enabled', () => {
  expect(limitsOf({ enabled: false })).toEqual({ ...unlimited, enabled: false })
  errorOf(file({ enabled: 'no' }), 'CFG022', at('enabled'))
})

describe.each(['uplink', 'downlink'] as const)('%s', (key) => {
  test.each([
    [0, 0],
    [1500, 1500],
    ['1500', 1500],
    ['512 KiB/s', 524288],
    ['40 Mbit/s', 5_000_000],
  ])('%j', (value, bytes) => {
    expect(limitsOf({ [key]: value })![key]).toBe(bytes)
  })

  test.each([
    ['fast', undefined],
    ['5 M', 'bytes or bits? write "5 MB/s" or "5 Mbit/s"'],
    ['1.5g', 'bytes or bits? write "1.5 GB/s" or "1.5 Gbit/s"'],
    ['5 MB/min', undefined],
  ])('%j is an error', (value, hint) => {
    const problem = errorOf(file({ [key]: value }), 'CFG038', at(key))
    expect(problem).toMatchObject({
      line: 12,
      message: `found "${value}", expected a speed such as "5 MB/s" or "40 Mbit/s", or bytes per second as a number`,
    })
    expect(problem.column).toBe(19 + key.length)
    expect(problem.hint).toBe(hint)
  })

  test('a number is whole and not negative', () => {
    errorOf(file({ [key]: -1 }), 'CFG023', at(key))
    errorOf(file({ [key]: 1.5 }), 'CFG022', at(key))
    expect(errorOf(file({ [key]: true }), 'CFG022', at(key)).message).toContain('expected a speed such as "5 MB/s"')
  })
})

test('quota', () => {
  expect(limitsOf({ quota: 0 })!.quota).toBe(0)
  expect(limitsOf({ quota: 12345678901234 })!.quota).toBe(12345678901234)
  expect(limitsOf({ quota: '50 GiB' })!.quota).toBe(53_687_091_200)
  for (const [quota, hint] of [
    ['100G', 'write "100 GB"'],
    ['100 gib/s', undefined],
    ['100 gb', '"b" stands for bits: write "100 GB"'],
    ['7 gibit', '"bit" stands for bits: write "7 GiB"'],
    ['much', undefined],
  ] as const) {
    const problem = errorOf(file({ quota }), 'CFG038', at('quota'))
    expect(problem.message).toBe(`found "${quota}", expected a size such as "100 GB" or "50 GiB", or bytes as a number`)
    expect(problem.hint).toBe(hint)
  }
  errorOf(file({ quota: -1 }), 'CFG023', at('quota'))
})

test('a unit that is missing', () => {
  for (const [limits, path, message, hint] of [
    [{ quota: 100 }, 'quota', 'this is 100 bytes, less than 1 MB', 'write "100 GB"'],
    [{ quota: '100' }, 'quota', 'this is 100 bytes, less than 1 MB', 'write "100 GB"'],
    [{ quota: '0.5 KB' }, 'quota', 'this is 500 bytes, less than 1 MB', 'write "0.5 GB"'],
    [{ quota: 999999 }, 'quota', 'this is 999999 bytes, less than 1 MB', 'write "100 GB"'],
    [{ uplink: 1 }, 'uplink', 'this is 1 byte per second, less than 1 KB/s', 'write "1 Mbit/s" or "1 MB/s"'],
    [
      { downlink: '40 bit/s' },
      'downlink',
      'this is 5 bytes per second, less than 1 KB/s',
      'write "40 Mbit/s" or "40 MB/s"',
    ],
  ] as const) {
    const result = file(limits)
    expect(warningOf(result, 'CFG073', at(path))).toMatchObject({ message, hint })
    expect(configOf(result)).toBeDefined()
  }
  quietConfigOf(file({ quota: 1_000_000, uplink: 1000, downlink: '8 kbit/s' }))
  quietConfigOf(file({ quota: 0, uplink: 0, downlink: '0' }))
})

test.each([
  ['connections', 4294967295],
  ['addresses', 4294967295],
  ['addressGrace', 86400],
])('%s: a whole number', (key, most) => {
  const field = key === 'addressGrace' ? 'addressGraceS' : key
  expect(limitsOf({ [key]: 0 })).toMatchObject({ [field]: 0 })
  expect(limitsOf({ [key]: most })).toMatchObject({ [field]: most })
  expect(errorOf(file({ [key]: most + 1 }), 'CFG023', at(key)).message).toContain(`from 0 to ${most}`)
  errorOf(file({ [key]: '1' }), 'CFG022', at(key))
})

describe('expires', () => {
  test.each([
    ['2026-12-31', '2027-01-01T00:00:00.000Z'],
    ['2026-12-31T18:00:00+02:00', '2026-12-31T16:00:00.000Z'],
    [1798761599, '2026-12-31T23:59:59.000Z'],
  ])('%j', (expires, iso) => {
    expect(new Date(limitsOf({ expires })!.expiresAt).toISOString()).toBe(iso)
  })

  test('0: never', () => {
    expect(limitsOf({ expires: 0 })!.expiresAt).toBe(0)
  })

  test.each([
    ['31.12.2026', undefined],
    ['2026-02-30', undefined],
    ['1798761599', 'write 1798761599 without the quotes'],
  ])('%j is an error', (expires, hint) => {
    const problem = errorOf(file({ expires }), 'CFG038', at('expires'))
    expect(problem.message).toBe(
      `found "${expires}", expected a date such as "2026-12-31" or "2026-12-31T18:00:00Z", or Unix seconds as a number`,
    )
    expect(problem.hint).toBe(hint)
  })

  test('milliseconds are an error', () => {
    expect(errorOf(file({ expires: 1798761599000 }), 'CFG023', at('expires')).hint).toBe(
      'these look like milliseconds: write 1798761599',
    )
    expect(errorOf(file({ expires: Number.MAX_SAFE_INTEGER }), 'CFG023', at('expires')).hint).toBeUndefined()
  })

  test('in the past: a warning, where the time is known', () => {
    const result = file({ expires: '2026-11-19' })
    expect(warningOf(result, 'CFG071', at('expires')).message).toBe(
      'this user expired at 2026-11-20T00:00:00.000Z and is turned away',
    )
    expect(inboundOf(result, 'vmess').settings.users[0]!.limits!.expiresAt).toBe(now)
    quietConfigOf(file({ expires: '2026-11-20' }))
    quietConfigOf(load(vmessIn({ clients: [{ id: uuid, email: 'a', limits: { expires: '2020-01-01' } }] })))
  })
})

describe('expiresAfter', () => {
  test.each([
    ['30 days', 2_592_000_000],
    ['12 h', 43_200_000],
    ['1.5 hours', 5_400_000],
    [3600, 3_600_000],
    [0, 0],
  ])('%j', (expiresAfter, ms) => {
    expect(limitsOf({ expiresAfter })!.expiresAfterMs).toBe(ms)
  })

  test.each([
    ['30', 'write "30 days"'],
    ['1 month', 'write "30 days", or "1 min" for minutes'],
    ['5m', 'write "150 days", or "5 min" for minutes'],
    ['1 year', 'write "365 days"'],
    ['soon', undefined],
    ['2026-12-31', undefined],
  ])('%j is an error', (expiresAfter, hint) => {
    const problem = errorOf(file({ expiresAfter }), 'CFG038', at('expiresAfter'))
    expect(problem.message).toContain('expected a duration such as "30 days" or "12 h", or seconds as a number')
    expect(problem.hint).toBe(hint)
  })

  test('milliseconds are an error, and days a warning', () => {
    expect(errorOf(file({ expiresAfter: 2592000000000 }), 'CFG023', at('expiresAfter')).hint).toContain('seconds')
    expect(warningOf(file({ expiresAfter: 30 }), 'CFG073', at('expiresAfter')).hint).toBe('write "30 days"')
  })

  test('is forgotten at a restart without accounting, which is said once', () => {
    const clients = ['a', 'b'].map((email) => ({ id: email, email, limits: { expiresAfter: '30 days' } }))
    expect(warningOf(load(vmessIn({ clients })), 'CFG091', at('expiresAfter')).hint).toContain('"accounting"')
    expect(codesOf(load(vmessIn({ clients }))).filter((code) => code === 'CFG091')).toHaveLength(1)
    expect(codesOf(load({ ...vmessIn({ clients }), accounting: 'usage.db' }))).not.toContain('CFG091')
  })
})

test.each([
  'quota',
  'connections',
  'uplink',
  'downlink',
  'addresses',
  'expires',
  'speedLimit',
  'limitIp',
])('%s in a level of the policy is an error, and not dropped', (word) => {
  const { inbounds, outbounds } = vmessIn({ clients: [{ id: uuid }] }) as { inbounds: unknown; outbounds: unknown }
  const problem = errorOf(load({ inbounds, outbounds, policy: { levels: { 0: { [word]: 5 } } } }), 'CFG040')
  expect(problem.path).toBe(`policy.levels.0.${word}`)
  expect(problem.hint).toContain('"limits" of clients[]')
})

test('an unknown field is an error with the nearest; beside the id it may be another program’s, unless it looks like a limit', () => {
  const beside = (fields: object) => load(vmessIn({ clients: [{ id: uuid, email: 'a', ...fields }] }))
  expect(errorOf(beside({ limit: {} }), 'CFG040').hint).toBe('did you mean "limits"?')
  expect(warningOf(beside({ flow: '' }), 'CFG020').message).toContain('it is ignored')
  expect(errorOf(load(withOutbound({ protocol: 'freedom', quota: '1 GB' })), 'CFG040').hint).toBe(
    '"quota" belongs in limits of clients[] of a vmess inbound',
  )
  expect(errorOf(file({ quotas: 5 }), 'CFG040', at('quotas')).hint).toBe('did you mean "quota"?')
  expect(errorOf(file({ conections: 5 }), 'CFG040', at('conections'))).toMatchObject({
    message: expect.stringContaining('unknown key "conections", expected "enabled", "uplink", '),
    hint: 'did you mean "connections"?',
  })
  expect(quietConfigOf(file({ connections: 1, _comment: 'x', '// x': 1, old: null }))).toBeDefined()
  expect(errorOf(load(vmessIn({ clients: [], limits: {} })), 'CFG040').hint).toBe(
    '"limits" belongs in clients[] of a vmess inbound',
  )
  errorOf(file(5), 'CFG022', 'inbounds[0].settings.clients[0].limits')
})

describe('e-mails', () => {
  test.each([{}, { email: '' }, { email: null }])('limits need one: %j', (user) => {
    expect(errorOf(file({ quota: 1 }, user), 'CFG069', 'inbounds[0].settings.clients[0].limits')).toMatchObject({
      message: 'this user has limits but no e-mail, and limits are kept by e-mail',
      hint: 'write "email": "name@example.org"; any name will do',
    })
  })

  const two = (first: unknown, second: unknown) => {
    const inbound = (port: number, email: string, id: string, limits: unknown) => ({
      protocol: 'vmess',
      port,
      settings: {
        clients: [
          { id: otherUuid, email: 'other', limits: { quota: port * 1_000_000 } },
          { id, email, limits },
        ].slice(port - 1),
      },
    })
    const inbounds = [inbound(1, 'Love@v2ray.com', uuid, first), inbound(2, 'love@V2Ray.com', otherUuid, second)]
    return load({ inbounds, outbounds: [{ protocol: 'freedom' }] })
  }

  test('the same limits, or limits in one place, are fine', () => {
    quietConfigOf(two({ quota: '1 GB' }, { quota: 1_000_000_000 }))
    quietConfigOf(two({ quota: '1 GB' }, undefined))
    const users = configOf(two(undefined, { quota: 1_000_000 })).inbounds.flatMap((inbound) =>
      inbound.protocol === 'vmess' ? inbound.settings.users : [],
    )
    expect(users.map(({ limits }) => limits?.quota)).toEqual([1_000_000, undefined, 1_000_000])
  })

  test('other limits in another inbound are an error with both places', () => {
    expect(errorOf(two({ quota: 1 }, { quota: 2 }), 'CFG070', 'inbounds[1].settings.clients[0].limits')).toMatchObject({
      message: 'the e-mail "love@V2Ray.com" has other limits at inbounds[0].settings.clients[1].limits',
      hint: 'limits hold for all inbounds together: write them in one place',
    })
  })
})

test('limits of an outbound’s user have no effect', () => {
  const limits = { quota: 1 }
  const path = 'outbounds[0].settings.vnext[0].users[0].limits'
  expect(warningOf(load(vmessOut({ limits })), 'CFG030', path).message).toBe(
    '"limits" has no effect: the server keeps limits, not its clients',
  )
  quietConfigOf(load(vmessOut({ limits: {} })))
  const flat = withOutbound({ protocol: 'vmess', settings: { address: 'a', port: 1, id: uuid, limits } })
  warningOf(load(flat), 'CFG030', 'outbounds[0].settings.limits')
})

describe('limits in a place where they would limit nothing', () => {
  test.each([...Object.keys(limitsSchema.shape), 'Quota'])('%s beside limits', (key) => {
    const result = load(vmessIn({ clients: [{ id: uuid, email: 'a@b', [key]: 5, limits: { connections: 1 } }] }))
    const problem = errorOf(result, 'CFG040', `inbounds[0].settings.clients[0].${key}`)
    expect(problem.hint).toBe('write it into "limits": { … }')
  })

  test('limits beside the list of users', () => {
    const settings = { clients: [{ id: uuid, email: 'a@b' }], limits: { quota: '1 GB' } }
    errorOf(load(vmessIn(settings)), 'CFG040', 'inbounds[0].settings.limits')
  })

  test.each(['addressGrace', 'quota', 'expires', 'expiresAfter'])('%s, where there is no word for limits', (key) => {
    const levels = { 0: { [key]: 5 } }
    errorOf(load({ ...vmessIn({ clients: [{ id: uuid }] }), policy: { levels } }), 'CFG040', `policy.levels.0.${key}`)
  })

  test('a date before 1970 is over, and does not stand for never', () => {
    const result = file({ expires: '1969-07-20' })
    expect(inboundOf(result, 'vmess').settings.users[0]!.limits!.expiresAt).toBe(1)
  })
})
