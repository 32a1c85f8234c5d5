import { Agent, get } from 'node:http'
import { createServer as createTcpServer, type Server as TcpServer } from 'node:net'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { createClient, createServer, type Server } from '../../src/index.ts'
import { inlinePair } from '../support/tls.ts'

const id = '27848739-7e62-4138-9fd3-098a63964b6b'

let target: TcpServer
let port: number
let server: Server
let settings: { protocol: 'vmess'; settings: object; streamSettings: object }

const tls = vi.hoisted(() => ({ contexts: 0 }))
vi.mock('node:tls', async (original) => {
  const actual = await original<typeof import('node:tls')>()
  return {
    ...actual,
    createSecureContext: (options: object) => {
      tls.contexts++
      return actual.createSecureContext(options)
    },
  }
})

beforeAll(async () => {
  target = createTcpServer((socket) => {
    socket.on('error', () => {})
    socket.on('data', (data) => {
      const http = String(data).startsWith('GET ')
      socket.end(http ? 'HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok' : String(data).toUpperCase())
    })
  })
  await new Promise<void>((resolve) => target.listen(0, '127.0.0.1', resolve))
  port = (target.address() as { port: number }).port
  const certificates = [inlinePair('server')]
  server = createServer({
    inbounds: [
      {
        listen: '127.0.0.1',
        port: 0,
        protocol: 'vmess',
        settings: { clients: [{ id }] },
        streamSettings: { security: 'tls', tlsSettings: { certificates } },
      },
    ],
    outbounds: [{ protocol: 'freedom' }],
  })
  const [at] = await server.listen()
  settings = {
    protocol: 'vmess',
    settings: { vnext: [{ address: '127.0.0.1', port: at!.address.port, users: [{ id }] }] },
    streamSettings: { security: 'tls', tlsSettings: { allowInsecure: true } },
  }
})

afterAll(async () => {
  await server.close(0)
  await new Promise<void>((resolve) => target.close(() => resolve()))
})

async function ask(stream: NodeJS.ReadWriteStream, text: string): Promise<string> {
  stream.write(text)
  let answer = ''
  for await (const piece of stream) answer += String(piece)
  return answer
}

describe('a client', () => {
  it('opens many streams, and looks at certificates once', async () => {
    await using client = createClient(settings)
    const before = tls.contexts
    expect(before).toBeGreaterThan(0)
    const texts = Array.from({ length: 20 }, (_, i) => `text ${i}`)
    const answers = texts.map(async (text) => ask(await client.connect({ host: '127.0.0.1', port }), text))
    expect(await Promise.all(answers)).toEqual(texts.map((text) => text.toUpperCase()))
    expect(tls.contexts).toBe(before)
  })

  it('serves an agent of node:http', async () => {
    await using client = createClient(settings)
    class TunnelAgent extends Agent {
      override createConnection(options: { host?: string; port?: number }, done: (...args: unknown[]) => void) {
        client.connect({ host: options.host!, port: Number(options.port) }).then((stream) => done(null, stream), done)
        return undefined as never
      }
    }
    const agent = new TunnelAgent()
    const status = await new Promise((resolve, reject) => {
      get({ host: '127.0.0.1', port, agent }, (answer) => resolve(answer.resume().statusCode)).on('error', reject)
    })
    expect(status).toBe(200)
  })

  it('says at once what is wrong with the settings', () => {
    expect(() => createClient('vmess://nonsense')).toThrow(expect.objectContaining({ code: 'LINK_INVALID' }))
    const wrong = { protocol: 'vmess' as const, settings: { vnext: [] } }
    expect(() => createClient(wrong)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }))
  })

  it('opens nothing after it was closed, gives up what it was opening, and leaves open streams alone', async () => {
    const client = createClient(settings)
    const stream = await client.connect({ host: '127.0.0.1', port })
    const late = client.connect({ host: '127.0.0.1', port })
    await client.close()
    await expect(late).rejects.toMatchObject({ code: 'SHUTTING_DOWN' })
    await expect(client.connect({ host: '127.0.0.1', port })).rejects.toMatchObject({ code: 'SHUTTING_DOWN' })
    expect(await ask(stream, 'still here')).toBe('STILL HERE')
    await client.close()
  })

  it('gives a dial up for a reason of the caller', async () => {
    await using client = createClient(settings)
    const signal = AbortSignal.abort(new Error('not today'))
    await expect(client.connect({ host: '127.0.0.1', port, signal })).rejects.toMatchObject({ code: 'DIAL_ABORTED' })
  })
})
