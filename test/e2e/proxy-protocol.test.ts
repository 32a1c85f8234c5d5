/** PROXY protocol headers in front of whole inbounds: TLS, ports that are shared, limits by address, loops. */

import { once } from 'node:events'
import { connect, createServer, type Socket } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { afterEach, expect, it } from 'vitest'
import { createServer as createProxy, type Server } from '../../src/app/server.ts'
import type { ConfigInput } from '../../src/config/input.ts'
import { certificateFile, keyFile } from '../interop/rig/configs.ts'

interface HttpInbound {
  readonly protocol: 'http'
  readonly streamSettings?: object
}

const open: { close(): unknown }[] = []
afterEach(async () => {
  for (const one of open.splice(0)) await one.close()
})

async function target(): Promise<number> {
  const server = createServer((socket) => socket.on('error', () => {}).pipe(socket))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  open.push(server)
  return (server.address() as { port: number }).port
}

async function running(
  inbound: HttpInbound,
): Promise<{ server: Server; port: number; sources: string[]; refused: string[] }> {
  const config = {
    inbounds: [{ listen: '127.0.0.1', port: 0, tag: 'in', ...inbound }],
    outbounds: [{ protocol: 'freedom' }],
  }
  const server = createProxy(config as ConfigInput)
  const sources: string[] = []
  const refused: string[] = []
  server.on('session', ({ source }) => sources.push(source))
  server.on('rejected', ({ source }, { code }) => refused.push(`${source.replace(/:\d+$/, '')} ${code}`))
  const address = (await server.listen())[0]!.address
  open.push({ close: () => server.close(0) })
  return { server, port: address.port, sources, refused }
}

/** CONNECT, and back what was said. */
async function echoed(socket: Socket, to: number): Promise<string> {
  socket.write(`CONNECT 127.0.0.1:${to} HTTP/1.1\r\n\r\n`)
  let text = ''
  for await (const bytes of socket) {
    text += bytes
    if (text.endsWith('\r\n\r\n')) socket.write('hello')
    if (text.endsWith('hello')) break
  }
  return text.split('\r\n').at(-1)!
}

const http = (streamSettings: object): HttpInbound => ({ protocol: 'http', streamSettings })
const header = 'PROXY TCP4 203.0.113.77 127.0.0.1 4000 443\r\n'

it('lies under TLS, and who it names is the source of the session', async () => {
  const to = await target()
  const tlsSettings = { certificates: [{ certificateFile, keyFile }] }
  const { port, sources } = await running(
    http({ security: 'tls', tlsSettings, sockopt: { acceptProxyProtocol: true } }),
  )
  const socket = connect(port, '127.0.0.1')
  await once(socket, 'connect')
  socket.write(header)
  expect(await echoed(connectTls({ socket, rejectUnauthorized: false }), to)).toBe('hello')
  expect(sources).toEqual(['203.0.113.77:4000'])
})

it('may come in one piece with what follows, and whoever has none is cut off at once', async () => {
  const to = await target()
  const { port, sources, refused } = await running(http({ tcpSettings: { acceptProxyProtocol: true } }))
  const socket = connect(port, '127.0.0.1')
  socket.write(header)
  expect(await echoed(socket, to)).toBe('hello')
  expect(sources).toEqual(['203.0.113.77:4000'])
  const bare = connect(port, '127.0.0.1').on('error', () => {})
  bare.write('CONNECT 127.0.0.1:1 HTTP/1.1\r\n\r\n')
  await once(bare, 'close')
  expect(refused).toEqual(['127.0.0.1 PROXY_HEADER_INVALID'])
})

it('does not hide a loop from us', async () => {
  const { server, port } = await running(http({ sockopt: { acceptProxyProtocol: true } }))
  await server.reload({
    inbounds: [{ listen: '127.0.0.1', port, tag: 'in', ...http({ sockopt: { acceptProxyProtocol: true } }) }],
    outbounds: [{ protocol: 'freedom', settings: { proxyProtocol: 1, redirect: `127.0.0.1:${port}` } }],
  } as ConfigInput)
  const failed = once(server, 'sessionFailed')
  const socket = connect(port, '127.0.0.1').on('error', () => {})
  socket.write(`${header}CONNECT 127.0.0.1:9 HTTP/1.1\r\n\r\nCONNECT 127.0.0.1:9 HTTP/1.1\r\n\r\n`)
  const [, error] = await failed
  expect(error).toMatchObject({ code: 'LOOP_DETECTED' })
  socket.destroy()
})

it('a reload exchanges the outbound that another goes through, and refuses a ring', async () => {
  const to = await target()
  const front = await running({ protocol: 'http' })
  const other = await running({ protocol: 'http' })
  const config = (port: number, more: object = {}) => ({
    inbounds: [{ listen: '127.0.0.1', port: 0, tag: 'in', protocol: 'http' }],
    outbounds: [
      { protocol: 'freedom', tag: 'out', proxySettings: { tag: 'front' } },
      { protocol: 'http', tag: 'front', settings: { address: '127.0.0.1', port }, ...more },
    ],
  })
  const server = createProxy(config(front.port) as ConfigInput)
  open.push({ close: () => server.close(0) })
  const address = (await server.listen())[0]!.address
  const through: unknown[] = []
  server.on('session', (session) => through.push(session.through))
  expect(await echoed(connect(address.port, '127.0.0.1'), to)).toBe('hello')
  await server.reload(config(other.port) as ConfigInput)
  expect(await echoed(connect(server.listening[0]!.address.port, '127.0.0.1'), to)).toBe('hello')
  expect([front.sources.length, other.sources.length]).toEqual([1, 1])
  expect(through).toEqual([['front'], ['front']])
  await expect(server.reload(config(1, { proxySettings: { tag: 'out' } }) as ConfigInput)).rejects.toMatchObject({
    code: 'CONFIG_INVALID',
    message: expect.stringContaining('"out" → "front" → "out"'),
  })
  await expect(
    server.control.addOutbound({ protocol: 'freedom', tag: 'more', proxySettings: { tag: 'nobody' } }),
  ).rejects.toMatchObject({ code: 'CONTROL_INVALID' })
  await server.control.addOutbound({ protocol: 'freedom', tag: 'more', proxySettings: { tag: 'front' } })
})
