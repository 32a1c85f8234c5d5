/** Inbounds with sniffing: where a flow goes by its first bytes, and what a client notices of it. */

import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { systemEnv } from '../../src/app/instance/env.ts'
import { Instance } from '../../src/app/instance/instance.ts'
import { loadConfigValue } from '../../src/config/load.ts'
import type { Session } from '../../src/core/session.ts'
import { socksUdp } from '../support/socks-udp.ts'
import { udpSocket } from '../support/udp.ts'
import vectors from '../vectors/sniffing.json' with { type: 'json' }

const quic = Buffer.from(vectors.cases.find(({ name }) => name === 'quic v1 initial')!.chunks[0]![1] as string, 'hex')

let instance: Instance
let target: Server
let port: number
let sessions: Session[]
let asked: string[]
let cleanUps: (() => void)[]

beforeEach(async () => {
  sessions = []
  asked = []
  cleanUps = []
  target = createServer((socket) => {
    socket.on('error', () => {})
    socket.write('hello from the target, ')
    socket.on('data', (bytes) => socket.write(`you said ${bytes.length}`))
  })
  await new Promise<void>((resolve) => target.listen(0, '127.0.0.1', resolve))
  ;({ port } = target.address() as AddressInfo)
})
afterEach(async () => {
  for (const cleanUp of cleanUps) cleanUp()
  await instance.stop(0)
  target.close()
})

async function start(sniffing: object): Promise<number> {
  const { config, problems } = loadConfigValue({
    inbounds: [{ tag: 'in', listen: '127.0.0.1', port: 0, protocol: 'socks', settings: { udp: true }, sniffing }],
    outbounds: [{ protocol: 'freedom', tag: 'direct' }],
  })
  if (!config) throw new Error(problems.map(({ message }) => message).join('\n'))
  instance = new Instance(config, {
    env: systemEnv(),
    observers: [{ routed: (session) => void sessions.push(session) }],
    resolve: async (name) => {
      asked.push(name)
      return ['127.0.0.1']
    },
  })
  await instance.start()
  return instance.listening[0]!.address.port
}

/** A SOCKS client whose request is for `host`; what comes after the reply is what the target said. */
async function socks(at: number, host: string): Promise<{ socket: Socket; said: () => string }> {
  const socket = connect(at, '127.0.0.1')
  cleanUps.push(() => socket.destroy())
  let text = ''
  socket.on('error', () => {})
  socket.on('data', (bytes) => {
    text += bytes.toString('latin1')
  })
  const address = Buffer.from(host.split('.').map(Number))
  socket.write(Buffer.concat([Buffer.from([5, 1, 0, 5, 1, 0, 1]), address, Buffer.from([port >> 8, port & 255])]))
  await expect.poll(() => text.length).toBeGreaterThanOrEqual(12)
  return { socket, said: () => text.slice(12) }
}

const request = 'GET / HTTP/1.1\r\nHost: web.test\r\n\r\n'

describe('streams', () => {
  it('go to the name in their first bytes', async () => {
    const at = await start({ enabled: true, destOverride: ['http', 'tls'] })
    const { socket, said } = await socks(at, '198.51.100.9')
    socket.write(request)
    await expect.poll(said).toBe(`hello from the target, you said ${request.length}`)
    expect(new Set(asked)).toEqual(new Set(['web.test']))
    expect(sessions[0]).toMatchObject({
      protocol: 'http1',
      target: { host: '198.51.100.9', port },
      routed: { host: 'web.test', port },
    })
  })

  it('go where they asked with routeOnly, and rules see the name', async () => {
    const at = await start({ enabled: true, destOverride: ['http'], routeOnly: true })
    const { socket, said } = await socks(at, '127.0.0.1')
    socket.write(request)
    await expect.poll(said).toContain('you said')
    expect(asked).toEqual([])
    expect(sessions[0]).toMatchObject({ protocol: 'http1', ruledBy: { host: 'web.test', port } })
    expect(sessions[0]!.routed).toBeUndefined()
  })

  it('keep their target for a protocol that is not to be replaced', async () => {
    const at = await start({ enabled: true, destOverride: ['tls'] })
    const { socket, said } = await socks(at, '127.0.0.1')
    socket.write(request)
    await expect.poll(said).toContain('you said')
    expect(sessions[0]).toMatchObject({ protocol: 'http1' })
    expect(sessions[0]!.routed).toBeUndefined()
  })

  it('meet a server that speaks first, and lose nothing that they say late', async () => {
    const at = await start({ enabled: true, destOverride: ['http', 'tls'] })
    const { socket, said } = await socks(at, '127.0.0.1')
    await expect.poll(said).toBe('hello from the target, ')
    socket.write('EHLO')
    await expect.poll(said).toBe('hello from the target, you said 4')
    expect(sessions[0]!.protocol).toBeUndefined()
  })

  it('are not looked at with metadataOnly', async () => {
    const at = await start({ enabled: true, destOverride: ['http'], metadataOnly: true })
    const { said } = await socks(at, '127.0.0.1')
    await expect.poll(said).toBe('hello from the target, ')
    expect(sessions).toHaveLength(1)
  })
})

describe('datagrams', () => {
  it('go to the name in a QUIC hello, and the client sees the address that it asked for', async () => {
    const server = await udpSocket()
    cleanUps.push(() => server.close())
    const at = await start({ enabled: true, destOverride: ['quic'] })
    const client = await socksUdp(at)
    cleanUps.push(() => client.close())
    client.send(quic, { host: '198.51.100.9', port: server.port })
    const { bytes, port: source } = await server.next()
    expect(bytes.length).toBe(quic.length)
    server.send(Buffer.from('answer'), source)
    const answer = await client.next()
    expect(Buffer.from(answer.bytes).toString()).toBe('answer')
    expect(answer.from).toBe(`198.51.100.9:${server.port}`)
    expect(asked).toEqual(['q.example.com'])
    expect(sessions[0]).toMatchObject({ protocol: 'quic' })
  })

  it('of another kind do not wait', async () => {
    const server = await udpSocket()
    cleanUps.push(() => server.close())
    const at = await start({ enabled: true, destOverride: ['quic'] })
    const client = await socksUdp(at)
    cleanUps.push(() => client.close())
    client.send(Buffer.from('ping'), { host: '127.0.0.1', port: server.port })
    client.send(Buffer.from('pong'), { host: '127.0.0.1', port: server.port })
    expect(Buffer.from((await server.next()).bytes).toString()).toBe('ping')
    expect(Buffer.from((await server.next()).bytes).toString()).toBe('pong')
    expect(sessions[0]!.protocol).toBeUndefined()
  })
})
