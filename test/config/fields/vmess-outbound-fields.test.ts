/** One test per row of the table of VMess fields on a client. */
import { describe, expect, test } from 'vitest'
import { formatUuid } from '../../../src/protocol/vmess/users/identity.ts'
import {
  errorOf,
  load,
  otherUuid,
  outboundOf,
  problemOf,
  quietConfigOf,
  userOf,
  uuid,
  vmessOut,
  warningOf,
  withOutbound,
} from '../helpers.ts'

const user = 'outbounds[0].settings.vnext[0].users[0]'

describe('outbound', () => {
  test('vnext: several servers keep their order', () => {
    const server = (address: string) => ({ address, port: 443, users: [{ id: uuid }] })
    const result = load(
      withOutbound({ protocol: 'vmess', settings: { vnext: [server('a.example'), server('b.example')] } }),
    )
    expect(outboundOf(result, 'vmess').settings.servers.map(({ address }) => address.host)).toEqual([
      'a.example',
      'b.example',
    ])
    expect(problemOf(result, 'info', 'CFG067').message).toContain('Xray')
  })

  test('vnext: empty or missing is an error', () => {
    errorOf(load(withOutbound({ protocol: 'vmess', settings: { vnext: [] } })), 'CFG024', 'outbounds[0].settings.vnext')
    errorOf(load(withOutbound({ protocol: 'vmess', settings: {} })), 'CFG024', 'outbounds[0].settings')
    errorOf(load(withOutbound({ protocol: 'vmess' })), 'CFG024', 'outbounds[0].settings')
  })

  test.each([
    ['203.0.113.9', '203.0.113.9'],
    ['2001:DB8:0::15', '2001:db8::15'],
    ['[2001:db8::15]', '2001:db8::15'],
    ['a.example', 'a.example'],
    [' a.example ', 'a.example'],
    ['env:HOST', '198.51.100.7'],
    ['env:my.host', 'upper.example'],
  ])('vnext[].address: %j', (written, host) => {
    const env = { HOST: '198.51.100.7', MY_HOST: 'upper.example' }
    const result = load(vmessOut({}, { address: written }), { env })
    quietConfigOf(result)
    expect(outboundOf(result, 'vmess').settings.servers[0]!.address).toEqual({ host, port: 443 })
  })

  test.each([
    ['', 'empty'],
    ['a.example:443', 'found "a.example:443"'],
    ['[::1]:443', 'found "[::1]:443"'],
    ['https://a.example/', 'expected an IP address or a domain name'],
    ['a b', 'expected an IP address or a domain name'],
  ])('vnext[].address: %j is an error', (written, message) => {
    const problem = errorOf(
      load(vmessOut({}, { address: written })),
      'CFG028',
      'outbounds[0].settings.vnext[0].address',
    )
    expect(problem.message).toContain(message)
    if (written === 'a.example:443') expect(problem.hint).toBe('write "a.example" here and 443 as "port"')
  })

  test('vnext[].address: missing, or a variable that is not set', () => {
    errorOf(load(vmessOut({}, { address: null })), 'CFG024', 'outbounds[0].settings.vnext[0].address')
    expect(errorOf(load(vmessOut({}, { address: 'env:NOPE' })), 'CFG027').message).toContain('"NOPE"')
  })

  test('vnext[].port: 1 to 65535, never absent, 0 or quoted', () => {
    const path = 'outbounds[0].settings.vnext[0].port'
    expect(outboundOf(load(vmessOut({}, { port: 65535 })), 'vmess').settings.servers[0]!.address.port).toBe(65535)
    errorOf(load(vmessOut({}, { port: null })), 'CFG024', path)
    errorOf(load(vmessOut({}, { port: 0 })), 'CFG029', path)
    errorOf(load(vmessOut({}, { port: 65536 })), 'CFG023', path)
    expect(errorOf(load(vmessOut({}, { port: '443' })), 'CFG022', path)).toMatchObject({
      message: 'found "443" (a string), expected a port: a whole number from 0 to 65535',
      hint: 'write 443 without the quotes',
    })
  })

  test('vnext[].users: at least one; several are kept', () => {
    const path = 'outbounds[0].settings.vnext[0].users'
    errorOf(load(vmessOut({}, { users: [] })), 'CFG024', path)
    errorOf(load(vmessOut({}, { users: null })), 'CFG024', path)
    const result = load(vmessOut({}, { users: [{ id: uuid }, { id: otherUuid }] }))
    const [server] = outboundOf(result, 'vmess').settings.servers
    expect(server!.users.map(({ id }) => formatUuid(id))).toEqual([uuid, otherUuid])
    problemOf(result, 'info', 'CFG067')
  })

  test('id: a UUID or a custom string', () => {
    expect(formatUuid(userOf(load(vmessOut({ id: uuid }))).id)).toBe(uuid)
    expect(formatUuid(userOf(load(vmessOut({ id: 'hello' }))).id)).toBe('b7502f40-1152-59f2-ba10-69aeed522cdf')
    errorOf(load(vmessOut({ id: null })), 'CFG050', `${user}.id`)
  })

  test.each([0, 4, 65535])('alterId: %d', (alterId) => {
    expect(userOf(load(vmessOut({ alterId }))).alterId).toBe(alterId)
  })

  test.each([[-1], [65536], [1.5], ['6x']])('alterId: %j is an error', (alterId) => {
    const result = load(vmessOut({ alterId }))
    expect(result.config).toBeUndefined()
    expect(result.problems[0]!.path).toBe(`${user}.alterId`)
  })

  test('alterId: absent is 0', () => {
    expect(userOf(load(vmessOut())).alterId).toBe(0)
  })

  test.each([
    'auto',
    'aes-128-gcm',
    'chacha20-poly1305',
    'none',
    'zero',
    'aes-128-cfb',
  ] as const)('security: %s', (word) => {
    expect(userOf(load(vmessOut({ security: word.toUpperCase() }))).security).toBe(word)
  })

  test('security: absent and empty are auto, in silence; unknown is auto with a warning', () => {
    expect(userOf(load(vmessOut())).security).toBe('auto')
    const empty = load(vmessOut({ security: '' }))
    quietConfigOf(empty)
    expect(userOf(empty).security).toBe('auto')
    const unknown = load(vmessOut({ security: 'aes-128-gmc' }))
    expect(userOf(unknown).security).toBe('auto')
    expect(warningOf(unknown, 'CFG058', `${user}.security`).hint).toBe('did you mean "aes-128-gcm"?')
  })

  test('level: 0 to 4294967295', () => {
    expect(userOf(load(vmessOut())).level).toBe(0)
    expect(userOf(load(vmessOut({ level: 256 }))).level).toBe(256)
    expect(userOf(load(vmessOut({ level: 4294967295 }))).level).toBe(4294967295)
    errorOf(load(vmessOut({ level: -1 })), 'CFG023', `${user}.level`)
    errorOf(load(vmessOut({ level: 4294967296 })), 'CFG023', `${user}.level`)
  })

  test('email', () => {
    expect(userOf(load(vmessOut({ email: 'Love@v2ray.com' }))).email).toBe('Love@v2ray.com')
    expect(userOf(load(vmessOut())).email).toBe('')
  })

  test.each([
    ['', false, false],
    ['AuthenticatedLength', true, false],
    ['AuthenticatedLength|NoTerminationSignal', true, true],
    ['NoTerminationSignal, AuthenticatedLength', true, true],
  ])('experiments: %j', (experiments, authenticatedLength, noTerminationSignal) => {
    const result = load(vmessOut({ experiments }))
    quietConfigOf(result)
    expect(userOf(result).experiments).toEqual({ authenticatedLength, noTerminationSignal })
  })

  test('experiments: exact names; others warn', () => {
    const result = load(vmessOut({ experiments: 'xAuthenticatedLengthx' }))
    expect(userOf(result).experiments.authenticatedLength).toBe(false)
    expect(warningOf(result, 'CFG061', `${user}.experiments`).hint).toBe('did you mean "AuthenticatedLength"?')
  })

  test('the flat form', () => {
    const settings = {
      address: 'a.example',
      port: 443,
      id: uuid,
      security: 'zero',
      level: 3,
      email: 'x',
      experiments: '',
    }
    const result = load(
      withOutbound({ protocol: 'vmess', settings, streamSettings: { security: 'tls', tlsSettings: {} } }),
    )
    quietConfigOf(result)
    expect(outboundOf(result, 'vmess').settings.servers[0]!.address).toEqual({ host: 'a.example', port: 443 })
    expect(userOf(result)).toMatchObject({ security: 'zero', level: 3, email: 'x', alterId: 0 })
  })

  test('the flat form wins over vnext', () => {
    const vnext = [{ address: 'b.example', port: 1, users: [{ id: otherUuid }] }]
    const result = load(
      withOutbound({ protocol: 'vmess', settings: { address: 'a.example', port: 443, id: uuid, vnext } }),
    )
    expect(outboundOf(result, 'vmess').settings.servers[0]!.address.host).toBe('a.example')
    warningOf(result, 'CFG035', 'outbounds[0].settings.vnext')
  })

  test.each([
    ['id', uuid],
    ['uuid', uuid],
    ['alterId', 0],
    ['security', 'zero'],
    ['level', 1],
    ['email', 'a@example.com'],
    ['experiments', 'AuthenticatedLength'],
    ['port', 443],
  ])('%s beside vnext is ignored with a warning', (key, value) => {
    const vnext = [{ address: 'b.example', port: 1, users: [{ id: otherUuid }] }]
    const result = load(withOutbound({ protocol: 'vmess', settings: { vnext, [key]: value } }))
    warningOf(result, 'CFG035', `outbounds[0].settings.${key}`)
    expect(formatUuid(userOf(result).id)).toBe(otherUuid)
    expect(userOf(result).security).toBe('auto')
  })

  test('the flat form without an address is an error at the address', () => {
    errorOf(
      load(withOutbound({ protocol: 'vmess', settings: { port: 443, id: uuid } })),
      'CFG024',
      'outbounds[0].settings.address',
    )
  })

  test('uuid stands in for id', () => {
    const result = load(withOutbound({ protocol: 'vmess', settings: { address: 'a.example', port: 443, uuid } }))
    quietConfigOf(result)
    expect(formatUuid(userOf(result).id)).toBe(uuid)
  })
})
