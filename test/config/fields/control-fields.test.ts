/** The root keys of our own: one test per field. */
import { describe, expect, test } from 'vitest'
import { codesOf, configOf, errorOf, load, loadText, quietConfigOf, warningOf } from '../helpers.ts'

const token = '0123456789abcdef'
const hint = 'make one with `vmess uuid`'

describe('control', () => {
  const file = (control: unknown, rest: object = {}) => load({ control, ...rest })

  test('absent: none', () => {
    expect(quietConfigOf(load({})).control).toBeUndefined()
    expect(quietConfigOf(file(null)).control).toBeUndefined()
    errorOf(file(true), 'CFG022', 'control')
  })

  test.each([
    [undefined, { host: '127.0.0.1', port: 9010 }],
    [9999, { host: '127.0.0.1', port: 9999 }],
    [0, { host: '127.0.0.1', port: 0 }],
    ['9999', { host: '127.0.0.1', port: 9999 }],
    ['localhost:80', { host: '127.0.0.1', port: 80 }],
    ['[::1]:80', { host: '::1', port: 80 }],
    ['/run/control.sock', { host: '', port: 0, path: '/run/control.sock' }],
  ])('listen: %j', (listen, address) => {
    expect(quietConfigOf(file({ listen, token })).control).toEqual({ listen: address, token })
  })

  test('listen: other machines can reach it', () => {
    const result = file({ listen: '0.0.0.0:9010', token })
    expect(configOf(result).control!.listen).toEqual({ host: '::', port: 9010 })
    expect(warningOf(result, 'CFG140', 'control.listen')).toMatchObject({
      line: 3,
      column: 15,
      message: 'this is plain HTTP, and other machines can reach it: the token can be read on the way',
      hint: 'listen on 127.0.0.1:9010, behind a server that speaks TLS',
    })
  })

  test('listen: not an address', () => {
    expect(errorOf(file({ listen: 'a.example:9010', token }), 'CFG028', 'control.listen').hint).toBe(
      'names are not looked up here: write the IP address',
    )
    errorOf(file({ listen: '', token }), 'CFG028', 'control.listen')
    errorOf(file({ listen: '70000', token }), 'CFG028', 'control.listen')
    errorOf(file({ listen: 65536, token }), 'CFG023', 'control.listen')
    errorOf(file({ listen: true, token }), 'CFG022', 'control.listen')
  })

  test('listen: not where the API listens', () => {
    const api = { tag: 'api', services: ['StatsService'], listen: '127.0.0.1:9010' }
    expect(errorOf(file({ token }, { api }), 'CFG086', 'control.listen')).toMatchObject({
      message: 'port 9010 of 127.0.0.1 is already listened on by api',
      hint: 'write another port',
    })
  })

  test('token: required', () => {
    expect(errorOf(file({}), 'CFG024', 'control.token')).toMatchObject({ message: '"control" has no "token"', hint })
    errorOf(file({ token: null }), 'CFG024', 'control.token')
  })

  test('token: 16 characters or more', () => {
    expect(errorOf(file({ token: 'short-secret' }), 'CFG142', 'control.token')).toMatchObject({
      line: 3,
      column: 14,
      message: 'the token has 12 characters, expected 16 or more: it would be guessed',
      hint,
    })
    errorOf(file({ token: '' }), 'CFG142', 'control.token')
    errorOf(file({ token: token.slice(1) }), 'CFG142', 'control.token')
    expect(quietConfigOf(file({ token })).control!.token).toBe(token)
  })

  test.each([` ${token}`, `${token}\n`, 'sécret-sécret-sécret'])('token: %j cannot travel in a header', (bad) => {
    expect(errorOf(file({ token: bad }), 'CFG142', 'control.token').message).toBe(
      'the token has characters that no HTTP header can carry; expected ASCII without blanks',
    )
  })

  test('token: from the environment', () => {
    const value = { control: { token: 'env:VMESS_TOKEN' } }
    expect(quietConfigOf(load(value, { env: { VMESS_TOKEN: token } })).control!.token).toBe(token)
    expect(errorOf(load(value), 'CFG027', 'control.token').message).toBe(
      'the environment variable "VMESS_TOKEN" is not set',
    )
    errorOf(load(value, { env: { VMESS_TOKEN: 'short' } }), 'CFG142', 'control.token')
  })

  test('token: no message holds it', () => {
    const secrets = ['TOP-SECRET', 1234567890, ['TOP-SECRET-TOP-SECRET'], { a: 'TOP-SECRET' }, 'TOP-SECRET TOP-SECRET']
    for (const secret of secrets) {
      const { problems } = file({ token: secret })
      expect(problems.length).toBeGreaterThan(0)
      expect(JSON.stringify(problems)).not.toMatch(/SECRET|1234567890/)
    }
    const env = JSON.stringify(load({ control: { token: 'env:T' } }, { env: { T: 'TOP-SECRET' } }).problems)
    expect(env).not.toContain('SECRET')
    const broken = loadText(`{"control": {"token": "TOP-SECRET-TOP-SECRET", "listen": oops}}`)
    expect(broken.problems[0]!.excerpt).toContain('"token"')
    expect(JSON.stringify(broken.problems)).not.toContain('SECRET')
  })

  test.each([null, '0.0.0.0', '127.0.0.1'])('listen: not where an inbound at %j listens', (listen) => {
    const inbounds = [{ protocol: 'vmess', port: 9010, listen, settings: { clients: ['a'] } }]
    const where = listen === '127.0.0.1' ? '' : ' on all addresses'
    expect(errorOf(file({ token }, { inbounds }), 'CFG086', 'control.listen').message).toBe(
      `port 9010 of 127.0.0.1 is already listened on by inbounds[0]${where}`,
    )
    expect(file({ token, listen: 9011 }, { inbounds }).config).toBeDefined()
    expect(codesOf(file({ token: 'short' }, { inbounds }))).toEqual(expect.arrayContaining(['CFG086', 'CFG142']))
  })

  test('token: how to set the variable', () => {
    const hintOf = (name: string) => errorOf(load({ control: { token: `env:${name}` } }), 'CFG027').hint
    expect(hintOf('VMESS_TOKEN')).toBe('export VMESS_TOKEN=…')
    expect(hintOf('vmess.token')).toBe('export VMESS_TOKEN=…')
    expect(hintOf('')).toBeUndefined()
    expect(hintOf('no name')).toBeUndefined()
  })

  test('token: what to write in place of another value', () => {
    for (const value of [5, ['x'], {}, true]) {
      const problem = errorOf(file({ token: value }), 'CFG022', 'control.token')
      expect(problem.hint).toBe('write "token": "…"')
      expect(problem.message).not.toContain('a array')
    }
    expect(errorOf(file({ token: ['x'] }), 'CFG022').message).toBe('found an array, expected a token in double quotes')
  })

  test('no message holds the token in the place of something else', () => {
    const secret = 'sesamopenplease123'
    for (const value of [secret, [secret], [secret, { token: secret }]]) {
      const result = file(value)
      expect(errorOf(result, 'CFG022', 'control')).toMatchObject({
        message: `found ${typeof value === 'string' ? 'a string' : 'an array'}, expected an object { … }`,
        hint: 'write "control": { "token": "…" }',
      })
      expect(JSON.stringify(result.problems)).not.toContain('sesam')
    }
    expect(errorOf(file({ token, listen: secret }), 'CFG028').message).toContain('found "sesamope…"')
    expect(errorOf(file({ token, listen: 123456789012345 }), 'CFG023').message).toContain('found 12345678… (a number)')
  })

  test('no message holds a value of "env"', () => {
    const result = load({ env: { VMESS_TOKEN: 1234567890123456 } })
    expect(errorOf(result, 'CFG022', 'env.VMESS_TOKEN')).toMatchObject({
      message: 'found a number, expected text in double quotes',
      hint: 'write "VMESS_TOKEN": "…"',
    })
  })

  test('an unknown field is an error', () => {
    expect(errorOf(file({ token, lisen: 1 }), 'CFG040', 'control.lisen')).toMatchObject({
      message: 'unknown key "lisen", expected "listen" or "token"',
      hint: 'did you mean "listen"?',
    })
    expect(quietConfigOf(file({ token, '// note': 1 })).control).toBeDefined()
  })
})

describe('accounting', () => {
  const file = (accounting: unknown) => load({ accounting })

  test.each([[undefined], [null], [false]])('%j: off', (value) => {
    expect(quietConfigOf(file(value)).accounting).toBeUndefined()
  })

  test.each([
    ['usage.db', { path: 'usage.db', flushS: 5 }],
    [{ path: '/var/lib/usage.db' }, { path: '/var/lib/usage.db', flushS: 5 }],
    [
      { path: 'usage.db', flush: 1 },
      { path: 'usage.db', flushS: 1 },
    ],
    [
      { path: 'usage.db', flush: 10 },
      { path: 'usage.db', flushS: 10 },
    ],
  ])('%j', (value, accounting) => {
    expect(quietConfigOf(file(value)).accounting).toEqual(accounting)
  })

  test('path: required', () => {
    expect(errorOf(file({ flush: 5 }), 'CFG024', 'accounting.path')).toMatchObject({
      message: '"accounting" has no path',
      hint: 'write "path": "usage.db"',
    })
    errorOf(file({ path: '' }), 'CFG024', 'accounting.path')
    expect(errorOf(file(''), 'CFG024', 'accounting').hint).toBe('write "accounting": "usage.db"')
    errorOf(file({ path: 5 }), 'CFG022', 'accounting.path')
  })

  test('flush: whole seconds from 1 to 10', () => {
    for (const flush of [0, 11]) {
      expect(errorOf(file({ path: 'a', flush }), 'CFG023', 'accounting.flush').message).toBe(
        `found ${flush}, expected a whole number from 1 to 10`,
      )
    }
    errorOf(file({ path: 'a', flush: 1.5 }), 'CFG022', 'accounting.flush')
  })

  test('anything else is an error', () => {
    expect(errorOf(file({ path: 'a', flsh: 5 }), 'CFG040', 'accounting.flsh').hint).toBe('did you mean "flush"?')
    expect(errorOf(file(true), 'CFG022', 'accounting')).toMatchObject({
      message: 'found true, expected a path in double quotes, { "path", "flush" }, or false',
      hint: 'write "accounting": "usage.db"',
    })
    expect(errorOf(file(5), 'CFG022', 'accounting').message).toBe(
      'found 5 (a number), expected a path in double quotes, { "path", "flush" }, or false',
    )
  })
})
