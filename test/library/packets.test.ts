/** Datagrams, and many streams in one connection, through a server of ours: by the library's door. */

import { once } from 'node:events'
import { type AddressInfo, createServer as createTcpServer } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Address } from '../../src/core/address.ts'
import type { UdpListening } from '../../src/core/datagrams/packet.ts'
import { connect, createClient, createServer, type PacketConn, type Server, type Session } from '../../src/index.ts'
import { udpListener } from '../../src/net/datagrams/udp-listener.ts'

const id = '27848739-7e62-4138-9fd3-098a63964b6b'
let server: Server
let serverPort: number
let targets: UdpListening[]
const sessions: Session[] = []
/** Ports from which each target was spoken to. */
const seen = new Map<number, Set<number>>()

beforeAll(async () => {
  const echo = (lent: Uint8Array, from: Address, at: UdpListening): void => {
    seen.set(at.address.port, (seen.get(at.address.port) ?? new Set()).add(from.port))
    at.send(lent, from)
  }
  targets = await Promise.all(
    Array.from({ length: 20 }, () => udpListener().listen({ host: '127.0.0.1', port: 0 }, echo)),
  )
  server = createServer({
    inbounds: [{ tag: 'in', listen: '127.0.0.1', port: 0, protocol: 'vmess', settings: { clients: [{ id }] } }],
    outbounds: [{ protocol: 'freedom' }],
  })
  server.on('session', (session) => sessions.push(session))
  const [at] = await server.listen()
  serverPort = at!.address.port
})
afterAll(async () => {
  for (const target of targets) target.close()
  await server.close(0)
})

const settings = (parts: object = {}) => ({
  protocol: 'vmess' as const,
  settings: { vnext: [{ address: '127.0.0.1', port: serverPort, users: [{ id }] }] },
  ...parts,
})

function reader(conn: PacketConn) {
  const got: string[] = []
  let wake = () => {}
  conn
    .drainTo((lent, from) => {
      got.push(`${from.port} ${Buffer.from(lent)}`)
      wake()
    })
    .catch(() => {})
  return async (count: number) => {
    while (got.length < count) {
      await new Promise<void>((resolve) => {
        wake = resolve
      })
    }
    return got.splice(0).sort()
  }
}

const sendAll = (conn: PacketConn, text: string) => {
  for (const { address } of targets) expect(conn.send(Buffer.from(text), address)).toBe(true)
  return targets.map(({ address }) => `${address.port} ${text}`).sort()
}

describe('client.packets()', () => {
  it('a socket with twenty destinations becomes one session, and takes what a stranger sends to it', async () => {
    const conn = await createClient(settings()).packets()
    const next = reader(conn)
    const { address } = targets[0]!
    conn.send(Buffer.from('first'), address)
    await next(1)
    sessions.length = 0
    seen.clear()
    const expected = sendAll(conn, 'all')
    expect(await next(20)).toEqual(expected)
    expect(sessions).toEqual([])
    const ports = new Set([...seen.values()].flatMap((ports) => [...ports]))
    expect(ports.size).toBe(1)
    const stranger = await udpListener().listen({ host: '127.0.0.1', port: 0 }, () => {})
    stranger.send(Buffer.from('third'), { host: '127.0.0.1', port: [...ports][0]! })
    expect(await next(1)).toEqual([`${stranger.address.port} third`])
    expect(conn.info.encoding).toBe('xudp')
    stranger.close()
    conn.destroy()
  })

  it.each([
    ['none', {}, 'plain'],
    ['xudp', {}, 'xudp'],
    ['xudp', { mux: { enabled: true } }, 'xudp'],
    [undefined, { mux: { enabled: true, xudpConcurrency: 16 } }, 'xudp'],
    ['none', { mux: { enabled: true } }, 'mux'],
  ])('packetEncoding %s with %j', async (packetEncoding, parts, encoding) => {
    const conn = await createClient(settings({ packetEncoding, ...parts })).packets()
    const next = reader(conn)
    for (const text of ['one', 'two']) {
      const expected = sendAll(conn, text)
      expect(await next(20)).toEqual(expected)
    }
    expect(conn.info.encoding).toBe(encoding)
    conn.destroy()
  })

  it('ends when its signal is aborted', async () => {
    const abort = new AbortController()
    const conn = await createClient(settings()).packets({ signal: abort.signal })
    abort.abort()
    expect(conn.gone).toBeDefined()
  })
})

describe('client.packetSocket()', () => {
  it('is like a socket of node:dgram', async () => {
    const socket = createClient(settings()).packetSocket()
    const { address } = targets[3]!
    socket.send('question', address.port, address.host)
    const [message, source] = await once(socket, 'message')
    expect(String(message)).toBe('question')
    expect(source).toEqual({ address: address.host, family: 'IPv4', port: address.port, size: 8 })
    socket.close()
    await once(socket, 'close')
  })

  it('says by an event that its client was closed', async () => {
    const client = createClient(settings())
    await client.close()
    const [error] = await once(client.packetSocket(), 'error')
    expect(error).toMatchObject({ code: 'SHUTTING_DOWN' })
  })
})

describe('connect() with mux', () => {
  it('its stream works, and the carrier ends with it', async () => {
    const target = createTcpServer((socket) => socket.on('error', () => {}).pipe(socket))
    await new Promise<void>((resolve) => target.listen(0, '127.0.0.1', resolve))
    const { port } = target.address() as AddressInfo
    const stream = await connect(settings({ mux: { enabled: true } }), { host: '127.0.0.1', port })
    stream.end('hello')
    const parts: Buffer[] = []
    for await (const part of stream) parts.push(part as Buffer)
    expect(String(Buffer.concat(parts))).toBe('hello')
    target.close()
  })
})
