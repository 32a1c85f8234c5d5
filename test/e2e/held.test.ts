/** What connections hold while they carry nothing, and while they wait for the speed limit of their user. */

import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { testId } from '../interop/rig/configs.ts'
import { freePorts, type Peer, startPeer } from '../interop/rig/harness.ts'
import { heldBy, measured } from './held-memory.ts'
import { eventually } from './process-usage.ts'
import { vmessClientBytes } from './vmess-client-bytes.ts'

const kB = 1000
const MB = 1000 * kB
const limitedId = '5a1f0c62-7c1e-4d6e-8b8d-0d9f3c1d2e47'

let target: Server
const arrived = { sockets: new Set<Socket>(), bytes: 0 }
let proxy: Peer
let held: () => Promise<number>
const ports: Record<string, number> = {}

beforeAll(async () => {
  target = createServer((socket) => {
    arrived.sockets.add(socket)
    socket.on('error', () => {}).on('close', () => arrived.sockets.delete(socket))
    socket.on('data', ({ length }) => {
      arrived.bytes += length
    })
  }).listen({ port: 0, host: '127.0.0.1', backlog: 1024 })
  await once(target, 'listening')
  const kinds = {
    socks: {},
    http: {},
    mixed: {},
    vmess: {
      clients: [
        { id: testId, email: 'alice@home.lan' },
        { id: limitedId, email: 'slow@home.lan', limits: { uplink: '64 KB/s' } },
      ],
    },
  }
  const free = await freePorts(Object.keys(kinds).length)
  const inbounds = Object.entries(kinds).map(([protocol, settings], i) => {
    ports[protocol] = free[i]!
    return { listen: '127.0.0.1', port: free[i]!, protocol, settings }
  })
  const log = { access: 'none', loglevel: 'warning' }
  proxy = await startPeer('ours', { log, inbounds, outbounds: [{ protocol: 'freedom' }] }, { ...measured, ports: free })
  held = heldBy(proxy)
})

afterAll(async () => {
  await proxy.stop()
  for (const socket of arrived.sockets) socket.destroy()
  target.close()
})

const targetPort = (): number => (target.address() as AddressInfo).port

/** What a client sends first, its request and `payload` in one write. */
type Begin = (payload: Buffer) => Buffer

const socks: Begin = (payload) => {
  const [high, low] = [targetPort() >> 8, targetPort() & 255]
  return Buffer.concat([Buffer.from([5, 1, 0, 5, 1, 0, 1, 127, 0, 0, 1, high, low]), payload])
}

/** Long enough for V8 to make it a part of the text that it stands in, instead of a copy. */
const host = 'a-name-of-this-machine.localhost'

const connectHead = (fields = ''): Buffer => Buffer.from(`CONNECT ${host}:${targetPort()} HTTP/1.1\r\n${fields}\r\n`)
const http: Begin = (payload) => Buffer.concat([connectHead(), payload])
/** The bytes are a field of the head, and only one is for the target. */
const httpHead: Begin = ({ length }) =>
  Buffer.concat([connectHead(`Cookie: ${'x'.repeat(length)}\r\n`), Buffer.alloc(1)])

const vmess = (id: string): Begin => {
  return (payload) => vmessClientBytes({ host: '127.0.0.1', port: targetPort() }, payload, { id })
}

/** Opens connections, a few at a time, each with what `begin` makes of `payload`; all have reached the target. */
async function open(port: number, count: number, begin: Begin, payload: Buffer): Promise<Socket[]> {
  const clients: Socket[] = []
  while (clients.length < count) {
    const some = Array.from({ length: Math.min(50, count - clients.length) }, () => {
      const client = connect({ port, host: '127.0.0.1' }).on('error', () => {})
      client.write(begin(payload))
      return client.resume()
    })
    clients.push(...some)
    expect(await eventually(() => arrived.sockets.size === clients.length)).toBe(true)
  }
  return clients
}

async function close(clients: readonly Socket[]): Promise<void> {
  for (const client of clients) client.destroy()
  expect(await eventually(() => arrived.sockets.size === 0)).toBe(true)
}

/** Bytes that the proxy holds while 400 connections stand idle that began with so many bytes each. */
async function heldIdle(port: number, begin: Begin, bytes: number): Promise<number> {
  arrived.bytes = 0
  const clients = await open(port, 400, begin, Buffer.alloc(bytes))
  const least = begin === httpHead ? 400 : 400 * bytes
  expect(await eventually(() => arrived.bytes >= least)).toBe(true)
  const bytesHeld = await held()
  await close(clients)
  return bytesHeld
}

it.each([
  ['socks', 'socks', socks],
  ['http', 'http', http],
  ['http', 'the head of http', httpHead],
  ['mixed', 'socks on mixed', socks],
  ['mixed', 'http on mixed', http],
  ['vmess', 'vmess', vmess(testId)],
])(
  '%s: idle connections hold nothing of what they began with, here 50 kB by %s',
  { timeout: 60_000 },
  async (inbound, _how, begin) => {
    const port = ports[inbound]!
    await heldIdle(port, begin, 50 * kB) // what is made once, and pools
    const little = await heldIdle(port, begin, 1)
    const much = await heldIdle(port, begin, 50 * kB)
    expect((much - little) / 400).toBeLessThan(8 * kB)
  },
)

it('300 uploads that wait for the speed limit of their user hold less than 20 MB together', {
  timeout: 60_000,
}, async () => {
  const port = ports.vmess!
  const begin = vmess(limitedId)
  await close(await open(port, 300, begin, Buffer.alloc(1)))
  const idle = await open(port, 300, begin, Buffer.alloc(1))
  const heldIdle = await held()
  await close(idle)
  arrived.bytes = 0
  const uploads = await open(port, 300, begin, Buffer.alloc(512 * kB))
  expect(await eventually(() => arrived.bytes > 64 * kB)).toBe(true)
  const heldPaced = await held()
  for (const upload of uploads) upload.destroy()
  expect(heldPaced - heldIdle).toBeGreaterThan(2 * MB) // they do wait
  expect(heldPaced - heldIdle).toBeLessThan(20 * MB)
})
