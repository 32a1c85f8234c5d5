/** The example files of the reference: those that this version can run load, the others say exactly why not. */
import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { loadConfig } from '../../src/config/load.ts'
import { defaultPolicy, defaultSystemPolicy } from '../../src/settings/model.ts'
import { configOf, loadText, quietConfigOf } from './helpers.ts'

const folder = new URL('./examples/', import.meta.url)
const loadExample = (name: string) => loadConfig([{ name, text: readFileSync(new URL(name, folder), 'utf8') }])

/** Codes that each example gives; `CFG032` names a part that is checked and not applied. */
const expected: Readonly<Record<string, readonly string[]>> = {
  '01-smallest-server.json': [],
  '02-socks-and-http-client.json': [],
  '03-websocket-behind-nginx-client.json': [],
  '03-websocket-behind-nginx-server.json': [],
  '04-grpc-tls-client.json': [],
  '04-grpc-tls-server.json': [],
  '05-legacy-alterid-client.json': ['CFG057'],
  '05-legacy-alterid-server.json': [],
  '06-dynamic-port.json': [],
  '07-levels-counters-api.json': [],
  '08-mux-over-ipv6.json': [],
  '09-xray-forms-client.json': [],
  '09-xray-forms-server.json': [],
  '10-routing-and-dns.json': [],
}

test('every example is listed', () => {
  expect(readdirSync(folder).sort()).toEqual(Object.keys(expected))
})

describe.each(Object.entries(expected))('%s', (name, said) => {
  test('says what is listed, and nothing else', () => {
    const { config, problems } = loadExample(name)
    expect(
      problems.map(({ code, message }) => (code === 'CFG032' ? `${code} ${message.split(':')[0]}` : code)),
    ).toEqual(said)
    expect(config).toBeDefined()
  })
})

test('two levels, two users, and an API that a rule leads to', () => {
  const { inbounds, policy, api, routing } = configOf(loadExample('07-levels-counters-api.json'))
  expect(policy.levels.get(0)).toEqual({ ...defaultPolicy, handshake: 4 })
  expect(policy.levels.get(1)).toEqual({ ...defaultPolicy, connIdle: 60, bufferSize: 64 * 1024 })
  expect(policy.system).toEqual(defaultSystemPolicy)
  expect(api).toEqual({ tag: 'api', services: ['StatsService', 'HandlerService'] })
  expect(routing!.rules[0]).toMatchObject({ inboundTags: ['api-in'], outboundTag: 'api' })
  expect(inbounds[0]!.protocol === 'vmess' && inbounds[0]!.settings.users.map(({ level }) => level)).toEqual([0, 1])
})

test('a front door and moving ports', () => {
  const { inbounds } = configOf(loadExample('06-dynamic-port.json'))
  expect(inbounds[0]).toMatchObject({ tag: 'front', settings: { detourTo: 'moving' } })
  expect(inbounds[0]!.allocate).toBeUndefined()
  expect(inbounds[1]!.allocate).toEqual({ refreshMinutes: 5, concurrency: 2 })
  expect(inbounds[1]!.listen).toHaveLength(200)
})

test('the example of docs/config.md loads without a word', () => {
  const text = readFileSync(new URL('../../docs/config.md', import.meta.url), 'utf8')
  const [, example = ''] = /```json\n(.*?)```/s.exec(text)!
  const config = quietConfigOf(loadText(example, { env: { VMESS_TOKEN: '0123456789abcdef' }, now: Date.UTC(2026, 0) }))
  expect(config.control).toEqual({ listen: { host: '127.0.0.1', port: 9010 }, token: '0123456789abcdef' })
  expect(config.accounting).toEqual({ path: 'usage.db', flushS: 5 })
  const [inbound] = config.inbounds
  expect(inbound!.protocol === 'vmess' && inbound!.settings.users[0]!.limits).toEqual({
    enabled: true,
    uplink: 5_000_000,
    downlink: 5_000_000,
    connections: 100,
    addresses: 2,
    addressGraceS: 60,
    quota: 100_000_000_000,
    expiresAt: Date.UTC(2100, 0, 1),
    expiresAfterMs: 0,
  })
})
