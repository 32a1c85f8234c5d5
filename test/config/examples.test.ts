/** The example files of the reference: those that this version can run load, the others say exactly why not. */
import { readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { loadConfig } from '../../src/config/load.ts'
import { configOf } from './helpers.ts'

const folder = new URL('./examples/', import.meta.url)
const loadExample = (name: string) => loadConfig([{ name, text: readFileSync(new URL(name, folder), 'utf8') }])

/** Codes that each example gives; `CFG032` names a part that is checked and not applied. */
const expected: Readonly<Record<string, readonly string[]>> = {
  '01-smallest-server.json': [],
  '02-socks-and-http-client.json': ['CFG032 udp', 'CFG032 sniffing'],
  '03-websocket-behind-nginx-client.json': ['CFG033', 'CFG032 udp'],
  '03-websocket-behind-nginx-server.json': ['CFG033'],
  '04-grpc-tls-client.json': ['CFG033'],
  '04-grpc-tls-server.json': ['CFG033'],
  '05-legacy-alterid-client.json': ['CFG057'],
  '05-legacy-alterid-server.json': [],
  '06-dynamic-port.json': ['CFG032 detour', 'CFG032 allocate'],
  '07-levels-counters-api.json': ['CFG032 stats', 'CFG032 api', 'CFG032 statistics', 'CFG030', 'CFG032 routing'],
  '08-mux-over-ipv6.json': ['CFG032 udp', 'CFG032 mux'],
  '09-xray-forms-client.json': ['CFG032 udp'],
  '09-xray-forms-server.json': [],
  '10-routing-and-dns.json': ['CFG032 dns', 'CFG032 udp', 'CFG032 sniffing', 'CFG032 routing'],
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
    expect(config === undefined).toBe(said.includes('CFG033'))
  })
})

test('transports that are not available are named', () => {
  for (const [name, transport] of [
    ['03-websocket-behind-nginx-client.json', '"ws": the WebSocket transport'],
    ['04-grpc-tls-server.json', '"grpc": the gRPC transport'],
  ] as const) {
    const [problem] = loadExample(name).problems
    expect(problem).toMatchObject({ severity: 'error', code: 'CFG033' })
    expect(problem!.message).toBe(`${transport} is not available in this version, only "tcp" or "raw"`)
  }
})

test('two levels and two users', () => {
  const { inbounds, policy } = configOf(loadExample('07-levels-counters-api.json'))
  expect(policy.levels.get(0)).toEqual({ handshake: 4, connIdle: 300, uplinkOnly: 2, downlinkOnly: 5 })
  expect(policy.levels.get(1)).toEqual({ handshake: 60, connIdle: 60, uplinkOnly: 2, downlinkOnly: 5 })
  expect(inbounds[0]!.protocol === 'vmess' && inbounds[0]!.settings.users.map(({ level }) => level)).toEqual([0, 1])
})
