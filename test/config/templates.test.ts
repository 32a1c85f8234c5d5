/**
 * Files of the shape that panels, scripts and clients write today: they start as they are, and their rules lead flows through
 * their inbounds where they say. The files are our own; each has the keys, also those without meaning, of the program's template.
 */
import { readdirSync, readFileSync } from 'node:fs'
import { connect } from 'node:net'
import { afterEach, describe, expect, it, test } from 'vitest'
import { systemEnv } from '../../src/app/instance/env.ts'
import { Instance } from '../../src/app/instance/instance.ts'
import { loadConfig } from '../../src/config/load.ts'
import { silentLogger } from '../../src/core/env.ts'
import type { Session } from '../../src/core/session.ts'
import { createClient } from '../../src/index.ts'
import type { Config } from '../../src/settings/model.ts'
import { addressFile, siteFile } from '../support/geo-files.ts'
import { socksUdp } from '../support/socks-udp.ts'

const folder = new URL('./templates/', import.meta.url)
const id = '0b1f6c7d-9e2a-4d35-8c46-a7b8d9e0f112'

const assets: Readonly<Record<string, ReturnType<typeof siteFile>>> = {
  'geoip.dat': addressFile({ PRIVATE: ['10.0.0.0/8', '127.0.0.0/8', '192.168.0.0/16'], CN: ['1.0.1.0/24'] }),
  'geosite.dat': siteFile({ CN: ['baidu.com'], PRIVATE: ['lan'], 'CATEGORY-ADS-ALL': ['ads.example'] }),
  'LoyalsoldierSite.dat': siteFile({ 'GEOLOCATION-!CN': ['google.com'] }),
}

let cleanUps: (() => unknown)[] = []
afterEach(async () => {
  for (const cleanUp of cleanUps.reverse()) await cleanUp()
  cleanUps = []
})

/** With ports that are free, and on this machine only. */
const elsewhere = (config: Config): Config => ({
  ...config,
  inbounds: config.inbounds.map((inbound) => ({ ...inbound, listen: [{ address: { host: '127.0.0.1', port: 0 } }] })),
})

const configOf = (names: readonly string[]): Config => {
  const sources = names.map((name) => ({ name, text: readFileSync(new URL(name, folder), 'utf8') }))
  const { config, problems } = loadConfig(sources)
  expect(problems.filter(({ severity }) => severity === 'error')).toEqual([])
  return elsewhere(config!)
}

async function start(names: readonly string[]) {
  // Questions of the DNS are flows as well.
  const waiting = new Map<string, (decided: string) => void>()
  const routed = (session: Session, tag: string) => waiting.get(session.target.host)?.(`${tag} by ${session.rule}`)
  const instance = new Instance(configOf(names), {
    env: systemEnv(silentLogger),
    observers: [{ routed }],
    findAsset: (name) => assets[name] ?? `${name} was not found`,
    resolve: async () => ['127.0.0.1'],
  })
  cleanUps.push(() => instance.stop(0))
  await instance.start()
  const portOf = (tag: string) => instance.listening.find((each) => each.tag === tag)!.address.port
  return { portOf, decided: (host: string) => new Promise<string>((done) => void waiting.set(host, done)) }
}
type Started = Awaited<ReturnType<typeof start>>

/** Bytes that no sniffer takes for anything. */
const junk = '\0\0\0\0\0\0\0\0'
const torrent = `\x13BitTorrent protocol${'\0'.repeat(48)}`

/** By SOCKS, or CONNECT for an inbound that takes nothing else. */
function opened(port: number, way: 'socks' | 'http', host: string, at: number, bytes: string): void {
  const socket = connect(port, '127.0.0.1')
  cleanUps.push(() => socket.destroy())
  socket.on('error', () => {})
  const name = Buffer.from(host)
  const ask = Buffer.concat([Buffer.from([5, 1, 0, 5, 1, 0, 3, name.length]), name, Buffer.from([at >> 8, at & 255])])
  socket.write(way === 'socks' ? ask : `CONNECT ${host}:${at} HTTP/1.1\r\nHost: ${host}:${at}\r\n\r\n`)
  socket.once('data', () => setImmediate(() => socket.write(bytes, 'latin1')))
}

async function byVmess({ portOf, decided }: Started, tag: string, stream: object, to: string, bytes: string) {
  const client = createClient({
    protocol: 'vmess',
    settings: { vnext: [{ address: '127.0.0.1', port: portOf(tag), users: [{ id }] }] },
    streamSettings: stream,
  })
  cleanUps.push(() => client.close())
  const decision = decided(to)
  const flow = await client.connect({ host: to, port: 80 })
  flow.on('error', () => {}).resume()
  flow.write(bytes, 'latin1')
  return decision
}

const byProxy = async (
  { portOf, decided }: Started,
  tag: string,
  way: 'socks' | 'http',
  to: string,
  port = 80,
): Promise<string> => {
  const decision = decided(to)
  opened(portOf(tag), way, to, port, junk)
  return decision
}

test('all of them are tried', () => {
  expect(readdirSync(folder)).toHaveLength(10)
})

describe('panels and scripts for servers', () => {
  const http = {
    network: 'tcp',
    tcpSettings: { header: { type: 'http', request: { headers: { Host: ['google.com'] } } } },
  }
  it.each([
    ['3x-ui', ['3x-ui.json'], 'inbound-40001', {}, ['blocked by #2', 'blocked by #3', 'direct by undefined']],
    ['x-ui', ['x-ui.json'], 'inbound-40002', { network: 'ws' }, ['blocked by #2', 'blocked by #3', ' by undefined']],
    [
      'Marzban',
      ['marzban-server.json'],
      'VMess TCP',
      http,
      ['BLOCK by #2', 'DIRECT by undefined', 'DIRECT by undefined'],
    ],
    [
      '233boy',
      ['233boy.json', '233boy-conf-tcp.json'],
      'VMess-TCP-40004.json',
      {},
      ['block by #5', 'block by #2', 'block by #5'],
    ],
    ['multi-v2ray', ['multi-v2ray-server.json'], '', {}, ['blocked by #1', ' by undefined', ' by undefined']],
  ])('%s', async (_name, files, tag, stream, [inside, bittorrent, other]) => {
    const started = await start(files)
    expect(await byVmess(started, tag, stream, '10.0.0.1', junk)).toBe(inside)
    expect(await byVmess(started, tag, stream, 'elsewhere.example', torrent)).toBe(bittorrent)
    expect(await byVmess(started, tag, stream, 'elsewhere.example', junk)).toBe(other)
  })
})

describe('clients', () => {
  it('v2rayN', async () => {
    const started = await start(['v2rayn.json'])
    expect(await byProxy(started, 'socks', 'socks', 'www.gstatic.com')).toBe('proxy by #2')
    expect(await byProxy(started, 'socks', 'http', 'x.ads.example')).toBe('block by #4')
    expect(await byProxy(started, 'socks', 'socks', '10.0.0.1')).toBe('direct by #5')
    expect(await byProxy(started, 'socks', 'socks', 'www.baidu.com')).toBe('direct by #9')
    expect(await byProxy(started, 'socks', 'socks', 'elsewhere.example')).toBe('proxy by #10')
    const client = await socksUdp(started.portOf('socks'))
    cleanUps.push(() => client.close())
    const decision = started.decided('198.51.100.1')
    client.send(Buffer.from(junk), { host: '198.51.100.1', port: 443 })
    expect(await decision).toBe('block by #3')
  })

  it('v2rayA', async () => {
    const started = await start(['v2raya.json'])
    expect(await byProxy(started, 'rule', 'http', 'vpn.example.org', 443)).toBe('direct by #1')
    expect(await byProxy(started, 'rule', 'http', '1.1.1.1', 53)).toBe('proxy by #3')
    expect(await byProxy(started, 'socks', 'socks', '9.9.9.9', 53)).toBe('dns-out by #4')
    expect(await byProxy(started, 'rule', 'http', '127.0.0.1', 9)).toBe('direct by #8')
    expect(await byProxy(started, 'http', 'http', '127.0.0.1', 9)).toBe('proxy by undefined')
  })

  it('Marzban’s file for users', async () => {
    const started = await start(['marzban-client.json'])
    expect(await byProxy(started, 'http', 'http', 'www.baidu.com')).toBe('DIRECT by #1')
    expect(await byProxy(started, 'socks', 'socks', 'elsewhere.example')).toBe('proxy by undefined')
  })

  it('multi-v2ray', async () => {
    const started = await start(['multi-v2ray-client.json'])
    expect(await byProxy(started, '', 'socks', 'www.baidu.com')).toBe('direct by #2')
    expect(await byProxy(started, '', 'socks', '192.168.1.1')).toBe('direct by #1')
  })
})
