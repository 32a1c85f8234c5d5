/** A server as 3x-ui writes it: its users do not come to what lies behind it, by address or by name, over TCP or UDP. */
import { type AddressInfo, createServer, type Server as TcpServer } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemEnv } from '../../src/app/instance/env.ts'
import { Instance } from '../../src/app/instance/instance.ts'
import { sessionLog } from '../../src/app/log/session-log.ts'
import { loadConfigValue } from '../../src/config/load.ts'
import type { UdpListening } from '../../src/core/datagrams/packet.ts'
import type { Resolve } from '../../src/core/ground.ts'
import { type Client, createClient } from '../../src/index.ts'
import { udpListener } from '../../src/net/datagrams/udp-listener.ts'
import { recordingLog } from '../support/vmess-servers.ts'

const id = '27848739-7e62-4138-9fd3-098a63964b6b'
const names: Record<string, readonly string[]> = {
  'inside.example': ['10.0.0.1'],
  'own.example': ['127.0.0.1'],
  'mapped.example': ['::ffff:127.0.0.1'],
  'mixed.example': ['::1', '127.0.0.1'],
}
const resolve: Resolve = async (host, family) =>
  (names[host] ?? []).filter((one) => family === 0 || (one.includes(':') ? 6 : 4) === family)

const { log, lines } = recordingLog()
let arrived = 0
let target: TcpServer
let port: number
let datagrams: UdpListening
let open: UdpListening
let instance: Instance
let client: Client

beforeAll(async () => {
  target = createServer((socket) => {
    arrived++
    socket.destroy()
  })
  await new Promise<void>((done) => target.listen(0, '127.0.0.1', done))
  port = (target.address() as AddressInfo).port
  datagrams = await udpListener().listen({ host: '127.0.0.1', port: 0 }, () => void arrived++)
  open = await udpListener().listen({ host: '127.0.0.1', port: 0 }, (lent, from, at) => void at.send(lent, from))
  const { config } = loadConfigValue({
    log: { access: 'none', dnsLog: false, error: '', loglevel: 'warning', maskAddress: '' },
    inbounds: [{ tag: 'in', listen: '127.0.0.1', port: 0, protocol: 'vmess', settings: { clients: [{ id }] } }],
    outbounds: [
      {
        tag: 'direct',
        protocol: 'freedom',
        settings: {
          domainStrategy: 'AsIs',
          finalRules: [
            // The one target that the test lets through, to know that all before it has been dealt with.
            { action: 'allow', network: 'udp', port: open.address.port },
            { action: 'block', ip: ['geoip:private'] },
            { action: 'allow' },
          ],
        },
      },
      { tag: 'blocked', protocol: 'blackhole', settings: {} },
    ],
  })
  instance = new Instance(config!, { env: systemEnv(log), resolve, observers: [sessionLog(log, systemEnv().clock)] })
  await instance.start()
  client = createClient({
    protocol: 'vmess',
    settings: { vnext: [{ address: '127.0.0.1', port: instance.listening[0]!.address.port, users: [{ id }] }] },
  })
})
afterAll(async () => {
  await client.close()
  await instance.stop(0)
  datagrams.close()
  open.close()
  await new Promise((done) => target.close(done))
})

const refused = ['10.0.0.1', '127.0.0.1', '::ffff:127.0.0.1', '::1', ...Object.keys(names)]
const codes = () => lines.map(({ fields }) => fields.code ?? (fields.err as { code?: string } | undefined)?.code)

describe('what lies behind a server', () => {
  it.each(refused)('is not reached over TCP: %s', async (host) => {
    lines.length = 0
    const stream = await client.connect({ host, port })
    stream.on('error', () => {})
    stream.write('hello')
    stream.resume()
    await new Promise<void>((done) => stream.once('close', () => done()))
    expect(codes()).toContain('TARGET_REFUSED')
    expect(arrived).toBe(0)
  })

  it.each(refused)('is not reached over UDP: %s', async (host) => {
    lines.length = 0
    const conn = await client.packets()
    conn.send(Buffer.from('hello'), { host, port: datagrams.address.port })
    // Names are looked up at once here, and a question behind the datagram is answered after it.
    const answered = new Promise<void>((done) => void conn.drainTo(() => done()).catch(() => {}))
    conn.send(Buffer.from('ping'), { host: '127.0.0.1', port: open.address.port })
    await answered
    conn.destroy()
    expect(codes()).toContain('TARGET_REFUSED')
    expect(arrived).toBe(0)
  })
})
