/** One test per row of the table of VMess fields on a server. */
import { describe, expect, test } from 'vitest'
import { formatUuid } from '../../../src/protocol/vmess/users/identity.ts'
import {
  configOf,
  errorOf,
  inboundOf,
  load,
  otherUuid,
  problemOf,
  quietConfigOf,
  uuid,
  vmessIn,
  warningOf,
} from '../helpers.ts'

describe('inbound', () => {
  const settingsOf = (settings: Readonly<Record<string, unknown>>) =>
    inboundOf(load(vmessIn(settings)), 'vmess').settings
  const clients = [{ id: uuid }]

  test('clients and users mean the same', () => {
    for (const settings of [{ clients }, { users: clients }]) {
      quietConfigOf(load(vmessIn(settings)))
      expect(settingsOf(settings).users.map(({ id }) => formatUuid(id))).toEqual([uuid])
    }
  })

  test('clients win over users, even when empty', () => {
    const result = load(vmessIn({ clients: [], users: clients }))
    expect(inboundOf(result, 'vmess').settings.users).toEqual([])
    warningOf(result, 'CFG035', 'inbounds[0].settings.users')
  })

  test('a string in the list is an id', () => {
    const result = load(vmessIn({ users: [uuid, otherUuid] }))
    quietConfigOf(result)
    expect(inboundOf(result, 'vmess').settings.users.map(({ id }) => formatUuid(id))).toEqual([uuid, otherUuid])
    errorOf(load(vmessIn({ users: [uuid, 'x'.repeat(31)] })), 'CFG051', 'inbounds[0].settings.users[1]')
  })

  test('[].id is required', () => {
    errorOf(load(vmessIn({ clients: [{ email: 'a' }] })), 'CFG050', 'inbounds[0].settings.clients[0].id')
  })

  test('[].alterId: any of 16 bits, a warning above 100', () => {
    expect(settingsOf({ clients: [{ id: uuid, alterId: 65535 }] }).users[0]!.alterId).toBe(65535)
    quietConfigOf(load(vmessIn({ clients: [{ id: uuid, alterId: 100 }] })))
    warningOf(
      load(vmessIn({ clients: [{ id: uuid, alterId: 101 }] })),
      'CFG056',
      'inbounds[0].settings.clients[0].alterId',
    )
    errorOf(
      load(vmessIn({ clients: [{ id: uuid, alterId: 65536 }] })),
      'CFG023',
      'inbounds[0].settings.clients[0].alterId',
    )
  })

  test('[].level and [].email', () => {
    const [user] = settingsOf({ clients: [{ id: uuid, level: 7, email: 'Love@v2ray.com' }] }).users
    expect(user).toMatchObject({ level: 7, email: 'Love@v2ray.com' })
  })

  test('[].security is of no use on a server, and passed over; [].experiments counts', () => {
    const result = load(vmessIn({ clients: [{ id: uuid, security: 'none', experiments: 'AuthenticatedLength' }] }))
    quietConfigOf(result)
    expect(inboundOf(result, 'vmess').settings.users[0]!.experiments.authenticatedLength).toBe(true)
  })

  test('default', () => {
    expect(settingsOf({ clients }).default).toEqual({ level: 0, alterId: 64 })
    expect(settingsOf({ clients, default: {} }).default).toEqual({ level: 0, alterId: 64 })
    expect(settingsOf({ clients, default: { level: 255, alterId: 0 } }).default).toEqual({ level: 255, alterId: 0 })
  })

  test('default.level has 8 bits', () => {
    errorOf(load(vmessIn({ clients, default: { level: 256 } })), 'CFG023', 'inbounds[0].settings.default.level')
  })

  test('default.alterId has 16 bits; a hint when it is left out', () => {
    errorOf(load(vmessIn({ clients, default: { alterId: 65536 } })), 'CFG023', 'inbounds[0].settings.default.alterId')
    problemOf(load(vmessIn({ clients, default: { level: 1 } })), 'info', 'CFG068', 'inbounds[0].settings.default')
  })

  test('detour.to, and its old place', () => {
    const target = { tag: 'other', protocol: 'vmess', port: 2, settings: {} }
    for (const settings of [
      { clients, detour: { to: 'other' } },
      { clients, features: { detour: { to: 'other' } } },
    ]) {
      const file = vmessIn(settings) as { inbounds: unknown[] }
      const result = load({ ...file, inbounds: [...file.inbounds, target] })
      quietConfigOf(result)
      expect(inboundOf(result, 'vmess').settings.detourTo).toBe('other')
    }
    expect(settingsOf({ clients, detour: { to: 'a' }, features: { detour: { to: 'b' } } }).detourTo).toBe('a')
  })

  test('disableInsecureEncryption: a boolean, false by default', () => {
    expect(settingsOf({ clients }).disableInsecureEncryption).toBe(false)
    expect(settingsOf({ clients, disableInsecureEncryption: true }).disableInsecureEncryption).toBe(true)
    const path = 'inbounds[0].settings.disableInsecureEncryption'
    expect(errorOf(load(vmessIn({ clients, disableInsecureEncryption: 'true' })), 'CFG022', path).hint).toBe(
      'write true without the quotes',
    )
  })

  test('null is the same as absent', () => {
    const result = load(vmessIn({ clients: null, users: clients, default: null, detour: null }))
    quietConfigOf(result)
    expect(configOf(result).inbounds).toHaveLength(1)
  })
})
