/** Programs that people use, through an HTTP inbound with accounts on a real port: git, curl, Python and `ws`. */

import { execFile, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import http from 'node:http'
import https from 'node:https'
import { type AddressInfo, connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { createServer, type Server } from '../../src/index.ts'

const folder = mkdtempSync(join(tmpdir(), 'vmess-programs-'))
const tls = join(import.meta.dirname, '../fixtures/tls')
const rejected: string[] = []
let proxy: Server
let port = 0
let plain: http.Server
let secure: https.Server

/** Files of the folder, `/echo/…` in chunks, and a WebSocket echo. */
const origin: http.RequestListener = (request, response) => {
  const path = request.url!.replace(/\?.*$/, '')
  if (path.startsWith('/echo/')) {
    response.write(path.slice(6))
    return response.end('!')
  }
  try {
    response.end(readFileSync(join(folder, path)))
  } catch {
    response.writeHead(404).end()
  }
}

const portOf = (server: http.Server | https.Server) => (server.address() as AddressInfo).port

beforeAll(async () => {
  proxy = createServer({
    inbounds: [
      {
        listen: '127.0.0.1',
        port: 0,
        protocol: 'http',
        settings: { accounts: [{ user: 'ann', pass: 'secret' }] },
      },
    ],
    outbounds: [{ protocol: 'freedom' }],
  })
  proxy.on('rejected', (_, { code }) => rejected.push(code))
  port = (await proxy.listen())[0]!.address.port
  plain = http.createServer(origin).listen(0, '127.0.0.1')
  const read = (name: string) => readFileSync(join(tls, name))
  secure = https.createServer({ cert: read('server.crt'), key: read('server.key') }, origin).listen(0, '127.0.0.1')
  await Promise.all([once(plain, 'listening'), once(secure, 'listening')])
  const sockets = new WebSocketServer({ server: plain })
  sockets.on('connection', (socket) =>
    socket.on('message', (data, isBinary) => socket.send(data, { binary: isBinary })),
  )
})

afterAll(async () => {
  await proxy.close(0)
  for (const server of [plain, secure]) {
    server.closeAllConnections()
    server.close()
  }
  rmSync(folder, { recursive: true })
})

/** Without the settings of whoever runs the test, their proxies above all. */
const env = { PATH: process.env.PATH, HOME: folder, GIT_CONFIG_NOSYSTEM: '1', GIT_TERMINAL_PROMPT: '0' }
const runs = promisify(execFile)
const run = (program: string, ...args: string[]) => runs(program, args, { cwd: folder, env, timeout: 20_000 })

/** A test that needs a program; CI has it. */
const needs = (program: string) =>
  it.skipIf(process.env.CI !== 'true' && spawnSync(program, ['--version']).status !== 0)

needs('git')('git clones through a proxy whose password is in its address', async () => {
  const identity = ['-c', 'user.name=ann', '-c', 'user.email=ann@example.com']
  await run('git', 'init', '--quiet', 'work')
  writeFileSync(join(folder, 'work/file'), 'content')
  await run('git', '-C', 'work', 'add', 'file')
  await run('git', '-C', 'work', ...identity, 'commit', '--quiet', '--message', 'First')
  await run('git', 'clone', '--quiet', '--bare', 'work', 'repo.git')
  await run('git', '-C', 'repo.git', 'update-server-info')
  const through = [
    '-c',
    `http.proxy=http://ann:secret@127.0.0.1:${port}`,
    '-c',
    `http.sslCAInfo=${join(tls, 'ca.crt')}`,
  ]
  for (const at of [`http://127.0.0.1:${portOf(plain)}`, `https://127.0.0.1:${portOf(secure)}`]) {
    const into = at.split(':')[0]!
    await run('git', ...through, 'clone', '--quiet', `${at}/repo.git`, into)
    expect(readFileSync(join(folder, into, 'file'), 'utf8')).toBe('content')
  }
  expect(rejected, 'asking without the password first is no failure').toEqual([])
})

needs('curl')('curl finds out how to log in, and comes through a tunnel and without one', async () => {
  const login = [
    '--silent',
    '--show-error',
    '--proxy',
    `127.0.0.1:${port}`,
    '--proxy-user',
    'ann:secret',
    '--proxy-anyauth',
  ]
  const ask = async (...args: string[]) => (await run('curl', ...login, ...args)).stdout
  const ports = [portOf(plain), portOf(secure)]
  expect(await ask('-p', `http://127.0.0.1:${ports[0]}/echo/a`)).toBe('a!')
  expect(await ask(`http://127.0.0.1:${ports[0]}/echo/b`, '--data', 'body')).toBe('b!')
  expect(await ask('--cacert', join(tls, 'ca.crt'), `https://127.0.0.1:${ports[1]}/echo/c`)).toBe('c!')
  const connects = await ask('-p', `http://127.0.0.1:${ports[0]}/echo/d`, '--write-out', ' %{num_connects}')
  expect(connects, 'on one connection').toBe('d! 1')
  expect(rejected).toEqual([])
})

needs('python3')('Python’s http.client asks twice on one connection', async () => {
  const script = `
import http.client, sys
proxy, base, login = sys.argv[1:]
for headers in ({}, {'Connection': 'keep-alive'}):
    client = http.client.HTTPConnection('127.0.0.1', int(proxy))
    seen = []
    for path, more in (('/echo/1', {}), ('/echo/1', {'Proxy-Authorization': login}), ('/echo/2', {'Proxy-Authorization': login})):
        client.request('GET', base + path, headers={**headers, **more})
        answer = client.getresponse()
        body = answer.read().decode().strip()
        seen.append((answer.status, body, client.sock and client.sock.getsockname()[1]))
    assert seen[0][2] and len({port for _, _, port in seen}) == 1, seen
    print([(status, body) for status, body, _ in seen])
`
  const login = `Basic ${Buffer.from('ann:secret').toString('base64')}`
  const { stdout } = await run('python3', '-c', script, String(port), `http://127.0.0.1:${portOf(plain)}`, login)
  const one = "[(407, 'this proxy asks for a user and a password'), (200, '1!'), (200, '2!')]\n"
  expect(stdout).toBe(one + one)
  expect(rejected).toEqual([])
})

it('a WebSocket opens through the proxy without a tunnel', async () => {
  for (const scheme of ['ws', 'http']) {
    const host = `127.0.0.1:${portOf(plain)}`
    const socket = new WebSocket(`ws://${host}/chat`, {
      headers: { 'Proxy-Authorization': `Basic ${Buffer.from('ann:secret').toString('base64')}` },
      createConnection: () => connect(port, '127.0.0.1'),
      finishRequest: (request) => {
        request.path = `${scheme}://${host}/chat`
        request.end()
      },
    })
    await once(socket, 'open')
    const long = 'x'.repeat(200_000)
    for (const text of ['hello', long]) {
      socket.send(text)
      const [data] = await once(socket, 'message')
      expect(String(data) === text).toBe(true)
    }
    socket.close(1000, 'over')
    const [code, reason] = await once(socket, 'close')
    expect([code, String(reason)]).toEqual([1000, 'over'])
  }
  expect(rejected).toEqual([])
})
