/** Node's own HTTP and TLS clients over streams of connect(). */
import { readFileSync } from 'node:fs'
import http from 'node:http'
import https from 'node:https'
import type { AddressInfo, Server as NetServer } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { connect, createServer } from '../../src/index.ts'

const id = '27848739-7e62-4138-9fd3-098a63964b6b'
const fixture = (name: string) => readFileSync(new URL(`../fixtures/${name}`, import.meta.url))

const proxy = createServer({
  inbounds: [{ listen: '127.0.0.1', port: 0, protocol: 'vmess', settings: { clients: [{ id }] } }],
  outbounds: [{ protocol: 'freedom' }],
})
let link: string
beforeAll(async () => {
  const [at] = await proxy.listen()
  link = `vmess://${id}@127.0.0.1:${at!.address.port}`
})
afterAll(() => proxy.close(0))

const leaving: (() => void)[] = []
afterEach(() => {
  for (const leave of leaving.splice(0)) leave()
})

/** Starts a web server that answers with the request's path; counts the connections that reach it. */
async function origin<S extends NetServer & { closeAllConnections(): void }>(server: S) {
  let connections = 0
  server.on('connection', () => connections++)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  leaving.push(() => {
    server.closeAllConnections()
    server.close()
  })
  return { port: (server.address() as AddressInfo).port, connections: () => connections }
}

const echo: http.RequestListener = (request, response) => response.end(request.url)

type Done = (error: Error | null, stream?: Awaited<ReturnType<typeof connect>>) => void

/** An agent that keeps its connections, as the README has it. */
function tunnelAgent(options: http.AgentOptions = {}): http.Agent {
  const agent = new http.Agent({ keepAlive: true, ...options })
  const createConnection = ({ host, port }: { host?: string; port?: number }, done: Done): void => {
    connect(link, { host: host!, port: Number(port) }).then((stream) => done(null, stream), done)
  }
  Object.assign(agent, { createConnection })
  leaving.push(() => agent.destroy())
  return agent
}

function get(options: http.RequestOptions, prepare: (request: http.ClientRequest) => void = () => {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const request = http.get({ host: '127.0.0.1', ...options }, async (response) => {
      let text = ''
      for await (const piece of response) text += String(piece)
      resolve(text)
    })
    request.on('error', reject)
    prepare(request)
  })
}

describe('an http.Agent over connect()', () => {
  it('uses one connection for many requests', async () => {
    const { port, connections } = await origin(http.createServer(echo))
    const agent = tunnelAgent()
    for (let i = 0; i < 5; i++) {
      const text = await get({ agent, port, path: `/${i}` }, (request) => {
        request.setNoDelay(true)
        request.setSocketKeepAlive(true, 1000)
        request.setTimeout(20_000)
      })
      expect(text).toBe(`/${i}`)
      // The agent has its connection back in the next turn.
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(connections()).toBe(1)
  })

  it('takes a timeout, of its own and of a request', async () => {
    const { port } = await origin(http.createServer(() => {}))
    const agent = tunnelAgent({ timeout: 10_000 })
    const timedOut = get({ agent, port, path: '/' }, (request) => {
      request.setTimeout(50, () => request.destroy(new Error('too slow')))
    })
    await expect(timedOut).rejects.toThrow('too slow')
  })

  it('tells of a target that does not answer as an error of the request', async () => {
    const { port } = await origin(http.createServer(echo))
    leaving.pop()?.()
    await expect(get({ agent: tunnelAgent(), port, path: '/' })).rejects.toBeInstanceOf(Error)
  })
})

describe('TLS over connect()', () => {
  const server = () => https.createServer({ cert: fixture('localhost.crt'), key: fixture('localhost.key') }, echo)

  it('is made by tls.connect({ socket })', async () => {
    const { port, connections } = await origin(server())
    const createConnection = (
      _: object,
      done: (error: Error | null, stream?: ReturnType<typeof connectTls>) => void,
    ) => {
      connect(link, { host: '127.0.0.1', port }).then((socket) => {
        done(null, connectTls({ socket, servername: 'localhost', ca: fixture('localhost.crt') }))
      }, done)
    }
    const agent = Object.assign(new https.Agent({ keepAlive: true }), { createConnection })
    leaving.push(() => agent.destroy())
    for (const path of ['/a', '/b']) {
      const text = await new Promise<string>((resolve, reject) => {
        const request = https.get({ host: 'localhost', port, path, agent }, async (response) => {
          let body = ''
          for await (const piece of response) body += String(piece)
          resolve(body)
        })
        request.on('error', reject)
      })
      expect(text).toBe(path)
      await new Promise((resolve) => setImmediate(resolve))
    }
    expect(connections()).toBe(1)
  })
})
