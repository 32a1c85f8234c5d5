/** One test per row of the tables of local inbounds. */
import { describe, expect, test } from 'vitest'
import { errorOf, inboundOf, load, quietConfigOf, warningOf, withInbound } from '../helpers.ts'

describe('socks and mixed', () => {
  const file = (settings: object, protocol = 'socks') => load(withInbound({ protocol, listen: '127.0.0.1', settings }))
  const accounts = [{ user: 'u', pass: 'p' }]

  test.each(['socks', 'mixed'] as const)('%s: defaults', (protocol) => {
    const result = file({}, protocol)
    quietConfigOf(result)
    expect(inboundOf(result, protocol).settings).toEqual({ auth: 'noauth', logins: [], udp: false, level: 0 })
  })

  test('an empty ip is none', () => {
    expect(inboundOf(file({ udp: true, ip: '' }), 'socks').settings).not.toHaveProperty('ip')
  })

  test('auth, accounts and users', () => {
    for (const settings of [
      { auth: 'Password', accounts },
      { auth: 'password', users: accounts },
    ]) {
      quietConfigOf(file(settings))
      expect(inboundOf(file(settings), 'socks').settings).toMatchObject({ auth: 'password', logins: accounts })
    }
    const both = file({ auth: 'password', accounts, users: [{ user: 'v', pass: 'q' }] })
    expect(inboundOf(both, 'socks').settings.logins).toEqual(accounts)
    warningOf(both, 'CFG035', 'inbounds[0].settings.users')
  })

  test('auth: an unknown word asks for no password, and says so', () => {
    const result = file({ auth: 'pasword' })
    expect(inboundOf(result, 'socks').settings.auth).toBe('noauth')
    expect(warningOf(result, 'CFG026', 'inbounds[0].settings.auth').hint).toBe('did you mean "password"?')
  })

  test('accounts that nobody asks for, and a password that nobody has', () => {
    warningOf(file({ accounts }), 'CFG087', 'inbounds[0].settings.accounts')
    warningOf(file({ auth: 'password' }), 'CFG089', 'inbounds[0].settings.auth')
  })

  test('accounts should have both parts; a password is never shown', () => {
    const half = file({ auth: 'password', accounts: [{ user: 'u' }] })
    warningOf(half, 'CFG024', 'inbounds[0].settings.accounts[0].pass')
    expect(inboundOf(half, 'socks').settings.logins).toEqual([{ user: 'u', pass: '' }])
    const problem = errorOf(
      file({ accounts: [{ user: 'u', pass: 123456 }] }),
      'CFG022',
      'inbounds[0].settings.accounts[0].pass',
    )
    expect(JSON.stringify(problem)).not.toContain('123456')
  })

  test('udp and ip', () => {
    const result = file({ udp: true, ip: '127.0.0.1' })
    quietConfigOf(result)
    expect(inboundOf(result, 'socks').settings).toMatchObject({ udp: true, ip: '127.0.0.1' })
    for (const settings of [{ ip: '192.0.2.1' }, { ip: '192.0.2.1', udp: false }]) {
      for (const protocol of ['socks', 'mixed']) {
        warningOf(file(settings, protocol), 'CFG030', 'inbounds[0].settings.ip')
      }
    }
    errorOf(file({ ip: 'a:1' }), 'CFG028', 'inbounds[0].settings.ip')
    errorOf(file({ udp: true, ip: 'a.example' }), 'CFG028', 'inbounds[0].settings.ip')
  })

  test('userLevel and timeout', () => {
    expect(inboundOf(file({ userLevel: 4294967295 }), 'socks').settings.level).toBe(4294967295)
    expect(inboundOf(file({ timeout: 30 }), 'socks').settings.idleMs).toBe(30_000)
    expect(inboundOf(file({ timeout: 30, userLevel: 1 }), 'socks').settings.idleMs).toBeUndefined()
    expect(inboundOf(file({ timeout: 0 }), 'socks').settings.idleMs).toBeUndefined()
  })

  test.each(['socks', 'mixed', 'http', 'dokodemo-door'])('%s beyond loopback without a password warns', (protocol) => {
    for (const listen of [null, '0.0.0.0', '192.0.2.1']) {
      const result = load(withInbound({ protocol, listen }))
      warningOf(result, 'CFG084', listen ? 'inbounds[0].listen' : 'inbounds[0].protocol')
    }
    quietConfigOf(load(withInbound({ protocol, listen: '::1' })))
    quietConfigOf(load(withInbound({ protocol, listen: '/run/p.sock', port: null })))
  })

  test('with a password they may listen anywhere', () => {
    quietConfigOf(load(withInbound({ protocol: 'socks', settings: { auth: 'password', accounts } })))
    quietConfigOf(load(withInbound({ protocol: 'http', settings: { accounts } })))
  })
})

describe('http', () => {
  const file = (settings: object) => load(withInbound({ protocol: 'http', listen: '127.0.0.1', settings }))

  test('accounts, allowTransparent, userLevel, timeout', () => {
    expect(inboundOf(file({}), 'http').settings).toEqual({ logins: [], allowTransparent: false, level: 0 })
    const result = file({ accounts: [{ user: 'u', pass: '' }], allowTransparent: true, userLevel: 2 })
    quietConfigOf(result)
    expect(inboundOf(result, 'http').settings).toEqual({
      logins: [{ user: 'u', pass: '' }],
      allowTransparent: true,
      level: 2,
    })
    warningOf(file({ timeout: 30 }), 'CFG030', 'inbounds[0].settings.timeout')
  })
})

describe('dokodemo-door', () => {
  const file = (settings: object) => load(withInbound({ protocol: 'dokodemo-door', listen: '127.0.0.1', settings }))
  const settingsOf = (settings: object) => inboundOf(file(settings), 'dokodemo-door').settings

  test('address and port, in both spellings', () => {
    expect(settingsOf({ address: '1.1.1.1', port: 53, userLevel: 1 })).toEqual({
      target: { host: '1.1.1.1', port: 53 },
      networks: ['tcp'],
      level: 1,
    })
    expect(settingsOf({ rewriteAddress: 'a.example', rewritePort: 80, allowedNetwork: 'tcp' }).target).toEqual({
      host: 'a.example',
      port: 80,
    })
    expect(settingsOf({}).target).toEqual({ host: '127.0.0.1', port: 0 })
    warningOf(file({ address: 'a', rewriteAddress: 'b' }), 'CFG035', 'inbounds[0].settings.rewriteAddress')
  })

  test('network', () => {
    expect(settingsOf({ network: 'tcp,udp' }).networks).toEqual(['tcp', 'udp'])
    expect(settingsOf({ network: 'udp' }).networks).toEqual(['udp'])
  })

  test('followRedirect and portMap are refused, timeout is an idle limit', () => {
    errorOf(file({ followRedirect: true }), 'CFG031', 'inbounds[0].settings.followRedirect')
    quietConfigOf(file({ followRedirect: false }))
    errorOf(file({ portMap: { '80': 'a:1' } }), 'CFG031', 'inbounds[0].settings.portMap')
    expect(settingsOf({ timeout: 1 }).idleMs).toBe(1_000)
  })
})
