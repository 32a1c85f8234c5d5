/** Every example of the protocol's own pages loads, and each field means what its page says. */
import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { formatUuid } from '../../src/protocol/vmess/users/identity.ts'
import type { VmessInboundSettings, VmessOutboundSettings } from '../../src/settings/model.ts'
import {
  codesOf,
  configOf,
  errorOf,
  inboundOf,
  load,
  outboundOf,
  problemOf,
  quietConfigOf,
  warningOf,
} from '../config/helpers.ts'

const folder = new URL('./examples/', import.meta.url)
const example = (name: string) => JSON.parse(readFileSync(new URL(`${name}.json`, folder), 'utf8'))

const id = '27848739-7e62-4138-9fd3-098a63964b6b'

const asOutbound = (settings: unknown) =>
  load({
    inbounds: [{ listen: '127.0.0.1', port: 1080, protocol: 'socks' }],
    outbounds: [{ protocol: 'vmess', settings }],
  })

/** The examples hand clients over to `tag_to_detour`, so there is one. */
const asInbound = (settings: unknown) =>
  load({
    inbounds: [
      { tag: 'front', port: 37192, protocol: 'vmess', settings },
      { tag: 'tag_to_detour', port: 37193, protocol: 'vmess', settings: {} },
    ],
    outbounds: [{ protocol: 'freedom' }],
  })

const outboundSettings = (settings: unknown): VmessOutboundSettings =>
  outboundOf(asOutbound(settings), 'vmess').settings
const inboundSettings = (settings: unknown): VmessInboundSettings => inboundOf(asInbound(settings), 'vmess').settings

test('all examples are there', () => {
  expect(readdirSync(folder)).toHaveLength(14)
})

describe.each([
  ['v2ray-en', { alterId: 10, security: 'aes-128-cfb' }, { alterId: 100, spare: 32 }],
  ['v2ray-zh', { alterId: 16, security: 'auto' }, { alterId: 16, spare: 32 }],
  ['v2ray-ru', { alterId: 16, security: 'auto' }, { alterId: 100, spare: 32 }],
  ['v2ray-ko', { alterId: 4, security: 'auto' }, { alterId: 4, spare: 4 }],
])('%s', (page, out, into) => {
  test('outbound', () => {
    const result = asOutbound(example(`${page}-outbound`))
    const [server] = outboundOf(result, 'vmess').settings.servers
    expect(server!.address).toEqual({ host: '127.0.0.1', port: 37192 })
    expect(server!.users).toHaveLength(1)
    expect(server!.users[0]).toMatchObject({ ...out, level: 0, email: '' })
    expect(formatUuid(server!.users[0]!.id)).toBe(id)
    expect(codesOf(result)).toEqual(page === 'v2ray-en' ? ['CFG057', 'CFG060'] : ['CFG057'])
  })

  test('inbound', () => {
    const result = asInbound(example(`${page}-inbound`))
    const { users, ...rest } = inboundOf(result, 'vmess').settings
    expect(users).toHaveLength(1)
    expect(users[0]).toMatchObject({ level: 0, alterId: into.alterId, email: 'love@v2ray.com' })
    expect(formatUuid(users[0]!.id)).toBe(id)
    expect(rest).toEqual({
      default: { level: 0, alterId: into.spare },
      detourTo: 'tag_to_detour',
      disableInsecureEncryption: false,
    })
    expect(codesOf(result)).toEqual(['CFG065'])
  })

  test('the address may be IPv4, IPv6 or a domain name', () => {
    const { vnext } = example(`${page}-outbound`)
    for (const address of ['192.0.2.1', '2001:db8::1', 'a.example']) {
      expect(outboundSettings({ vnext: [{ ...vnext[0], address }] }).servers[0]!.address.host).toBe(address)
    }
  })

  test('alterId: 0 by default, 65535 at most', () => {
    const [server] = example(`${page}-outbound`).vnext
    const { alterId: _, ...user } = server.users[0]
    expect(outboundSettings({ vnext: [{ ...server, users: [user] }] }).servers[0]!.users[0]!.alterId).toBe(0)
    expect(
      outboundSettings({ vnext: [{ ...server, users: [{ ...user, alterId: 65535 }] }] }).servers[0]!.users[0]!.alterId,
    ).toBe(65535)
    errorOf(asOutbound({ vnext: [{ ...server, users: [{ ...user, alterId: 65536 }] }] }), 'CFG023')
  })

  test('security: the words of the page, auto by default', () => {
    const [server] = example(`${page}-outbound`).vnext
    const securityOf = (security?: string) => {
      const user = { id, ...(security && { security }) }
      return outboundSettings({ vnext: [{ ...server, users: [user] }] }).servers[0]!.users[0]!.security
    }
    const words = ['aes-128-gcm', 'chacha20-poly1305', 'auto', 'none', ...(page === 'v2ray-en' ? ['aes-128-cfb'] : [])]
    for (const word of words) expect(securityOf(word)).toBe(word)
    expect(securityOf()).toBe('auto')
  })

  test('clients may be empty for the target of a detour', () => {
    const result = load({
      inbounds: [
        { tag: 'front', port: 1, protocol: 'vmess', settings: example(`${page}-inbound`) },
        {
          tag: 'tag_to_detour',
          port: 2,
          protocol: 'vmess',
          settings: { ...example(`${page}-inbound`), clients: [], detour: null },
        },
      ],
      outbounds: [{ protocol: 'freedom' }],
    })
    expect(codesOf(result)).toEqual(['CFG065'])
    expect(problemOf(result, 'info', 'CFG065').path).toBe('inbounds[0].settings.default')
  })

  test('default.alterId is 64 and default.level 0 when absent; disableInsecureEncryption false', () => {
    const { clients } = example(`${page}-inbound`)
    expect(inboundSettings({ clients, default: {} }).default).toEqual({ level: 0, alterId: 64 })
    expect(inboundSettings({ clients }).disableInsecureEncryption).toBe(false)
    expect(inboundSettings({ clients, disableInsecureEncryption: true }).disableInsecureEncryption).toBe(true)
  })
})

describe('v2ray-ko: parts', () => {
  test('a server without users', () => {
    errorOf(asOutbound({ vnext: [example('v2ray-ko-server')] }), 'CFG024', 'outbounds[0].settings.vnext[0].users')
  })

  test('server and user make an outbound', () => {
    const settings = { vnext: [{ ...example('v2ray-ko-server'), users: [example('v2ray-ko-user')] }] }
    expect(outboundSettings(settings).servers[0]!.users[0]).toMatchObject({ alterId: 16, security: 'auto', level: 0 })
  })

  test('client, detour and default make an inbound', () => {
    const settings = {
      clients: [example('v2ray-ko-client')],
      detour: example('v2ray-ko-detour'),
      default: example('v2ray-ko-default'),
    }
    expect(inboundSettings(settings)).toMatchObject({
      users: [{ alterId: 4, email: 'love@v2ray.com' }],
      detourTo: 'tag_to_detour',
      default: { level: 0, alterId: 4 },
    })
  })

  test('the translated names of the page are no aliases, but the messages know them', () => {
    const result = asInbound({ 클라이언트: [{ id }] })
    expect(warningOf(result, 'CFG020').hint).toBe('did you mean "clients"?')
    expect(inboundOf(result, 'vmess').settings.users).toEqual([])
  })
})

describe('xray-en', () => {
  const settings = example('xray-en-outbound')

  test('outbound', () => {
    const result = asOutbound(settings)
    quietConfigOf(result)
    const [server] = outboundOf(result, 'vmess').settings.servers
    expect(server!.address).toEqual({ host: '127.0.0.1', port: 37192 })
    expect(server!.users[0]).toMatchObject({
      alterId: 0,
      security: 'auto',
      level: 0,
      experiments: { authenticatedLength: false, noTerminationSignal: false },
    })
    expect(formatUuid(server!.users[0]!.id)).toBe(settings.id)
  })

  test('port is required, address and id are', () => {
    for (const key of ['port', 'address', 'id']) {
      const result = asOutbound({ ...settings, [key]: null })
      expect(result.config).toBeUndefined()
      expect(result.problems.map(({ path }) => path)).toEqual([`outbounds[0].settings.${key}`])
    }
  })

  test('a custom string and its UUID are the same user', () => {
    const idOf = (text: string) => formatUuid(outboundSettings({ ...settings, id: text }).servers[0]!.users[0]!.id)
    expect(idOf('我爱🍉老师1314')).toBe(idOf(settings.id))
  })

  test('the custom string as the page prints it, mis-encoded, is refused with the reason', () => {
    const problem = errorOf(asOutbound({ ...settings, id: 'æˆ‘çˆ±ðŸ‰è€å¸ˆ1314' }), 'CFG051')
    expect(problem.message).toContain('at most 30 bytes')
    expect(problem.message).toContain('looks mis-encoded')
  })

  test.each(['aes-128-gcm', 'chacha20-poly1305', 'auto', 'none', 'zero'])('security: %s', (security) => {
    expect(outboundSettings({ ...settings, security }).servers[0]!.users[0]!.security).toBe(security)
  })

  test('none and zero need TLS around them', () => {
    for (const security of ['none', 'zero']) warningOf(asOutbound({ ...settings, security }), 'CFG059')
  })

  test('experiments', () => {
    const experiments = 'AuthenticatedLength|NoTerminationSignal'
    expect(outboundSettings({ ...settings, experiments }).servers[0]!.users[0]!.experiments).toEqual({
      authenticatedLength: true,
      noTerminationSignal: true,
    })
  })

  test('level defaults to 0', () => {
    expect(outboundSettings({ ...settings, level: null }).servers[0]!.users[0]!.level).toBe(0)
  })
})

test('a detour to a tag that is not there warns with the tags that are', () => {
  const result = load({
    inbounds: [{ tag: 'in', port: 1, protocol: 'vmess', settings: example('v2ray-en-inbound') }],
    outbounds: [{ protocol: 'freedom' }],
  })
  configOf(result)
  expect(problemOf(result, 'warning', 'CFG062').hint).toBe('there is "in"')
})
