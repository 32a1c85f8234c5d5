/** One test per row of the table of common mistakes: users and detours. */
import { describe, expect, test } from 'vitest'
import {
  codesOf,
  errorOf,
  inboundOf,
  load,
  otherUuid,
  outboundOf,
  problemOf,
  quietConfigOf,
  uuid,
  vmessIn,
  vmessOut,
  warningOf,
  withOutbound,
} from './helpers.ts'

const user = 'outbounds[0].settings.vnext[0].users[0]'
const freedom = { protocol: 'freedom' }
const clients = [{ id: uuid }]

describe('users', () => {
  test('VMess user without id', () => {
    expect(errorOf(load(vmessIn({ clients: [{ email: 'a' }] })), 'CFG050')).toMatchObject({
      path: 'inbounds[0].settings.clients[0].id',
      line: 8,
      message: 'this user has no id',
    })
  })

  test.each([
    ['a\0b'],
    ['a\nb'],
    ['\ud800'],
    ['..'],
    ['x'.repeat(257)],
  ])('an e-mail that nothing can show: %j', (email) => {
    const problem = errorOf(load(vmessIn({ clients: [{ id: uuid, email }] })), 'CFG072')
    expect(problem).toMatchObject({ path: 'inbounds[0].settings.clients[0].email', line: 10 })
    expect(problem.message).not.toMatch(/\p{Cc}/u)
  })

  test('bad UUID: which character', () => {
    const problem = errorOf(load(vmessOut({ id: '8e3d2f6a-51c7-4b0e-9a44-6f0b7d1cZe95' })), 'CFG051', `${user}.id`)
    expect(problem.message).toContain('"8e3d2f6a…"')
    expect(problem.message).toContain('character 33, "Z", is no hex digit')
  })

  test('custom string as id: fine', () => {
    quietConfigOf(load(vmessOut({ id: 'garden gate 7' })))
  })

  test.each([[65536], [-1], ['6x'], [1.5]])('alterId %j', (alterId) => {
    const { problems } = load(vmessIn({ clients: [{ id: uuid, alterId }] }))
    expect(problems).toHaveLength(1)
    expect(problems[0]!.severity).toBe('error')
    expect(problems[0]!.message).toContain('expected a whole number from 0 to 65535')
  })

  test.each([['64'], ['']])('alterId %j is overlooked, as Xray overlooks it', (alterId) => {
    const result = load(vmessIn({ clients: [{ id: uuid, alterId }] }))
    expect(warningOf(result, 'CFG022').message).toContain('it is left out, as in Xray; V2Ray refuses it')
    expect(inboundOf(result, 'vmess').settings.users).toMatchObject([{ alterId: 0 }])
  })

  test('alterId > 0 on a client', () => {
    expect(warningOf(load(vmessOut({ alterId: 4 })), 'CFG057', `${user}.alterId`).message).toContain(
      'V2Ray 5 and Xray servers refuse',
    )
  })

  test('duplicate e-mail in one inbound, in any letter case', () => {
    const result = load(
      vmessIn({
        clients: [
          { id: uuid, email: 'Love@v2ray.com' },
          { id: otherUuid, email: 'love@V2RAY.com' },
        ],
      }),
    )
    const problem = errorOf(result, 'CFG055', 'inbounds[0].settings.clients[1].email')
    expect(problem.message).toContain('already belongs to inbounds[0].settings.clients[0]')
    quietConfigOf(load(vmessIn({ clients: [{ id: uuid }, { id: otherUuid, email: '' }] })))
  })

  test('duplicate e-mail beside a bad id: both are said', () => {
    const result = load(
      vmessIn({
        clients: [
          { id: 'x'.repeat(31), email: 'a' },
          { id: uuid, email: 'A' },
        ],
      }),
    )
    expect(codesOf(result)).toEqual(['CFG051', 'CFG055'])
  })

  test('the same e-mail in two inbounds is fine', () => {
    const inbound = (port: number) => ({ protocol: 'vmess', port, settings: { clients: [{ id: uuid, email: 'a' }] } })
    quietConfigOf(load({ inbounds: [inbound(1), inbound(2)], outbounds: [freedom] }))
  })

  test('duplicate id in one inbound, in another spelling', () => {
    const result = load(
      vmessIn({
        clients: [
          { id: uuid, email: 'a' },
          { id: uuid.toUpperCase(), email: 'b' },
        ],
      }),
    )
    expect(inboundOf(result, 'vmess').settings.users.map(({ email }) => email)).toEqual(['a', 'b'])
    const problem = warningOf(result, 'CFG054', 'inbounds[0].settings.clients[1].id')
    expect(problem.message).toContain('inbounds[0].settings.clients[0]')
    expect(problem.message).not.toContain(uuid)
  })

  test('unknown security of VMess', () => {
    const result = load(vmessOut({ security: 'aes-256-gcm' }))
    expect(outboundOf(result, 'vmess').settings.servers[0]!.users[0]!.security).toBe('auto')
    expect(warningOf(result, 'CFG058', `${user}.security`).hint).toBe('did you mean "aes-128-gcm"?')
  })

  test.each(['none', 'zero'])('%s without TLS', (security) => {
    warningOf(load(vmessOut({ security })), 'CFG059', `${user}.security`)
    quietConfigOf(load(vmessOut({ security }, {}, { streamSettings: { security: 'tls' } })))
  })

  test('aes-128-cfb is honoured, with a warning', () => {
    warningOf(load(vmessOut({ security: 'aes-128-cfb' })), 'CFG060', `${user}.security`)
  })

  test('users instead of clients: fine', () => {
    quietConfigOf(load(vmessIn({ users: clients })))
  })

  test('inbound with zero users and nobody’s detour target', () => {
    for (const settings of [{}, { clients: [] }, { users: [] }, { clients: [], users: [] }]) {
      const key = 'users' in settings && !('clients' in settings) ? 'users' : 'clients'
      warningOf(load(vmessIn(settings)), 'CFG066', `inbounds[0].settings.${key}`)
    }
  })

  test('two servers or users: V2Ray’s meaning, and a word about Xray', () => {
    expect(
      problemOf(load(vmessOut({}, { users: [{ id: uuid }, { id: otherUuid }] })), 'info', 'CFG067').message,
    ).toContain('Xray refuses')
  })

  test('flat form, and vnext: both fine', () => {
    quietConfigOf(load(withOutbound({ protocol: 'vmess', settings: { address: 'a.example', port: 443, id: uuid } })))
    quietConfigOf(load(vmessOut()))
  })
})

describe('an id in the place of something else', () => {
  const custom = 'garden gate 7'
  test.each([
    ['clients', vmessIn({ clients: uuid })],
    ['clients', vmessIn({ clients: custom })],
    ['clients', vmessIn({ clients: [['x', uuid]] })],
    ['users', vmessIn({ users: custom })],
    ['settings', vmessIn(uuid as never)],
    ['settings', vmessIn(custom as never)],
    ['level', vmessIn({ clients: [{ id: 'a', level: uuid }] })],
    ['level', vmessIn({ clients: [{ id: 'a', level: custom }] })],
    ['alterId', vmessIn({ clients: [{ id: 'a', alterId: custom }] })],
    ['limits', vmessIn({ clients: [{ id: 'a', email: 'a', limits: custom }] })],
    ['vnext', vmessOut({}, {}, { settings: { vnext: custom } })],
    ['users', vmessOut({}, { users: custom })],
    ['users', vmessOut({}, { users: [custom] })],
    ['level', vmessOut({ level: uuid.replaceAll('-', '') })],
    ['security', vmessOut({ security: `x${uuid}` })],
    ['protocol', vmessIn({ clients }, { protocol: uuid })],
    ['key', vmessIn({ clients: [{ id: 'a', [uuid]: true }] })],
    ['streamSettings', vmessOut({}, {}, { streamSettings: { network: `xxxxxxxxxx ${uuid}` } })],
  ])('%s', (_place, file) => {
    const { problems } = load(file)
    expect(problems.length).toBeGreaterThan(0)
    const said = JSON.stringify(problems)
    expect(said).not.toContain(uuid.slice(0, 9))
    expect(said).not.toContain(uuid.replaceAll('-', '').slice(0, 9))
    expect(said).not.toContain(custom)
  })

  test('a number', () => {
    const said = JSON.stringify(load(vmessIn({ clients: [12345678901] })).problems)
    expect(said).toContain('found 12345678… (a number)')
    expect(said).not.toContain('123456789')
  })

  test('what is no id is shown', () => {
    expect(errorOf(load(vmessIn({ clients: [{ id: uuid, level: '64' }] })), 'CFG022')).toMatchObject({
      message: 'found "64" (a string), expected a whole number from 0 to 4294967295',
      hint: 'write 64 without the quotes',
    })
    expect(errorOf(load(vmessIn({ clients: uuid })), 'CFG022')).toMatchObject({
      message: 'found "8e3d2f6a…" (a string), expected an array [ … ]',
      hint: 'put it in brackets: [ … ]',
    })
    expect(errorOf(load(vmessIn({ clients: [{ id: [uuid] }] })), 'CFG022')).toMatchObject({
      message: 'found an array, expected a UUID or a custom id, in double quotes',
      hint: 'write "id": "…"',
    })
  })

  test('a password in the place of accounts is not shown', () => {
    const file = withOutbound({ protocol: 'freedom' })
    const inbounds = [{ protocol: 'socks', listen: '::1', port: 1, settings: { accounts: 'TOP-SECRET' } }]
    const { problems } = load({ ...file, inbounds })
    expect(problems[0]!.message).toBe('found a string, expected an array [ … ]')
  })
})

describe('detours', () => {
  const file = (detour: object, target: object = {}) =>
    load({
      inbounds: [
        { tag: 'front', protocol: 'vmess', port: 1, settings: { clients, detour } },
        { tag: 'moving', protocol: 'vmess', port: 2, settings: {}, ...target },
      ],
      outbounds: [freedom],
    })

  test('to an unknown tag: a warning with the tags there are', () => {
    const result = file({ to: 'movin' })
    expect(warningOf(result, 'CFG062', 'inbounds[0].settings.detour.to').hint).toBe('did you mean "moving"?')
    expect(load({}, { strict: true }).config).toBeDefined()
    expect(file({ to: 'x-file' }).problems.find(({ code }) => code === 'CFG062')!.hint).toBe(
      'there is "front" or "moving"',
    )
  })

  test('to its own inbound, or without a tag', () => {
    const self = file({ to: 'front' })
    expect(warningOf(self, 'CFG074', 'inbounds[0].settings.detour.to')).toMatchObject({
      message: 'this detour leads to its own inbound: clients stay on it',
      hint: 'there is "moving"',
    })
    expect(warningOf(load(vmessIn({ clients, detour: { to: 'in' } }, { tag: 'in' })), 'CFG074').hint).toBe(
      'write the tag of another vmess inbound',
    )
    const idle = load(vmessIn({ clients: [], detour: { to: 'in' } }, { tag: 'in' }))
    warningOf(idle, 'CFG066')
    for (const detour of [{}, { to: '' }, { to: null }]) {
      expect(warningOf(file(detour), 'CFG074', 'inbounds[0].settings.detour.to')).toMatchObject({
        message: 'the detour has no "to": clients stay on this inbound',
        hint: 'write the tag of another vmess inbound',
      })
      warningOf(load(vmessIn({ clients, features: { detour } })), 'CFG074', 'inbounds[0].settings.features.detour.to')
    }
    expect(codesOf(file({ to: 5 }))).toEqual(['CFG022', 'CFG066'])
  })

  test('to an inbound that is not VMess', () => {
    warningOf(file({ to: 'moving' }, { protocol: 'http', listen: '127.0.0.1' }), 'CFG063')
  })

  test('to an inbound that forbids insecure encryption', () => {
    warningOf(
      file({ to: 'moving' }, { settings: { disableInsecureEncryption: true } }),
      'CFG064',
      'inbounds[1].settings.disableInsecureEncryption',
    )
  })

  test('default is of use only where a detour leads', () => {
    quietConfigOf(file({ to: 'moving' }, { settings: { default: { alterId: 0 } } }))
    problemOf(load(vmessIn({ clients, default: { alterId: 0 } })), 'info', 'CFG065', 'inbounds[0].settings.default')
  })

  test('detour and disableInsecureEncryption are honoured in a file with Xray’s forms', () => {
    const result = load(vmessIn({ users: clients, disableInsecureEncryption: true, detour: { to: '' } }))
    expect(inboundOf(result, 'vmess').settings.disableInsecureEncryption).toBe(true)
  })
})
