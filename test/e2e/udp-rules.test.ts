/** Rules hold for every target of a client socket, not only for its first. */
import { afterEach, describe, expect, it } from 'vitest'
import { systemEnv } from '../../src/app/instance/env.ts'
import { Instance } from '../../src/app/instance/instance.ts'
import { loadConfigValue } from '../../src/config/load.ts'
import { socksUdp } from '../support/socks-udp.ts'
import { pattern, udpEcho, udpSocket } from '../support/udp.ts'

let cleanUps: (() => void | Promise<void>)[] = []
afterEach(async () => {
  for (const cleanUp of cleanUps.reverse()) await cleanUp()
  cleanUps = []
})

async function start(routing: object, more: object = {}): Promise<number> {
  const { config, problems } = loadConfigValue({
    inbounds: [
      {
        tag: 'in',
        listen: '127.0.0.1',
        port: 0,
        protocol: 'socks',
        settings: { udp: true },
        sniffing: { enabled: true, metadataOnly: true, destOverride: ['fakedns'] },
      },
    ],
    outbounds: [
      { tag: 'direct', protocol: 'freedom' },
      { tag: 'block', protocol: 'blackhole' },
    ],
    routing,
    ...more,
  })
  if (!config) throw new Error(problems.map(({ message }) => message).join('\n'))
  const instance = new Instance(config, { env: systemEnv(), resolve: async () => ['127.0.0.1'] })
  cleanUps.push(() => instance.stop(0))
  await instance.start()
  return instance.listening[0]!.address.port
}

async function rig(...args: Parameters<typeof start>) {
  const client = await socksUdp(await start(...args))
  cleanUps.push(() => client.close())
  return client
}

async function server() {
  const echo = await udpEcho()
  cleanUps.push(() => echo.close())
  return echo
}

describe('datagrams of one client socket', () => {
  it('cannot reach a blocked target behind an allowed one', async () => {
    const allowed = await server()
    const secret = await udpSocket()
    cleanUps.push(() => secret.close())
    const client = await rig({ rules: [{ type: 'field', port: secret.port, outboundTag: 'block' }] })
    client.send(pattern(1), allowed)
    expect((await client.next()).bytes).toEqual(pattern(1))
    for (let i = 0; i < 3; i++) client.send(pattern(2), { host: '127.0.0.1', port: secret.port })
    client.send(pattern(3), allowed)
    expect((await client.next()).bytes).toEqual(pattern(3))
    secret.send(pattern(4), secret.port)
    // What comes first is what it sent itself.
    expect(new Uint8Array((await secret.next()).bytes)).toEqual(pattern(4))
  })

  it('reach an allowed target although the first was blocked', async () => {
    const allowed = await server()
    const client = await rig({ rules: [{ type: 'field', ip: ['10.0.0.0/8'], outboundTag: 'block' }] })
    client.send(pattern(1), allowed)
    expect((await client.next()).from).toBe(`127.0.0.1:${allowed.port}`)
    client.send(pattern(2), { host: '10.0.0.1', port: 9 })
    client.send(pattern(3), allowed)
    expect((await client.next()).bytes).toEqual(pattern(3))
  })

  it('keep one port where rules lead them the same way', async () => {
    const first = await udpSocket()
    const second = await udpSocket()
    cleanUps.push(
      () => first.close(),
      () => second.close(),
    )
    const client = await rig({ rules: [{ type: 'field', port: 1, outboundTag: 'block' }] })
    client.send(pattern(1), { host: '127.0.0.1', port: first.port })
    client.send(pattern(2), { host: '127.0.0.1', port: second.port })
    const { port } = await first.next()
    expect((await second.next()).port).toBe(port)
  })

  it('go to the names behind several made-up addresses', async () => {
    const one = await server()
    const client = await rig(
      { rules: [] },
      { dns: { servers: ['fakedns'] }, fakedns: { ipPool: '198.18.0.0/24', poolSize: 10 } },
    )
    // Nobody was given these: they lead nowhere, and what is real goes on.
    client.send(pattern(1), { host: '198.18.0.7', port: one.port })
    client.send(pattern(2), one)
    expect((await client.next()).bytes).toEqual(pattern(2))
  })
})
