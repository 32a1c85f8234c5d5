/** The library's server with everything beside it, as an operator's program uses it. */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { connect, createServer, type NewUser, type Server, type UserChange } from '../../src/index.ts'
import { freePorts } from '../interop/rig/harness.ts'
import { startTarget, type Target } from '../interop/target.ts'

const token = 'a-token-of-enough-characters'

let folder: string
let target: Target
let servers: Server[]

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'vmess-library-'))
  target = await startTarget()
  servers = []
})

afterEach(async () => {
  for (const server of servers) await server.close(0)
  target.close()
  rmSync(folder, { recursive: true })
})

async function start(extra: object): Promise<Server> {
  const server = createServer({
    inbounds: [{ tag: 'in', listen: '127.0.0.1', port: 0, protocol: 'vmess', settings: { clients: [] } }],
    outbounds: [{ tag: 'direct', protocol: 'freedom' }],
    ...extra,
  })
  servers.push(server)
  await server.listen()
  return server
}

/** Sends `bytes` as the user with this id, and waits until the server has seen the end of it. */
async function send(server: Server, id: string, bytes: number): Promise<void> {
  const { port } = server.listening[0]!.address
  const ended = new Promise((resolve) => server.once('sessionEnd', resolve))
  const settings = { vnext: [{ address: '127.0.0.1', port, users: [{ id }] }] }
  const stream = await connect({ protocol: 'vmess', settings }, { host: '127.0.0.1', port: target.port })
  stream.on('error', () => {}).resume()
  stream.end(Buffer.concat([Buffer.from('sink\n'), Buffer.alloc(bytes - 5)]))
  await ended
  stream.destroy()
}

it('is controlled by the program, and by HTTP where the configuration says so', async () => {
  const [port] = (await freePorts(1)) as [number]
  const server = await start({ control: { listen: port, token } })
  const { id } = await server.control.addUser('in', { email: 'ann@home.lan', limits: { quota: 1000 } })
  await send(server, id, 600)
  expect((await server.control.user('ann@home.lan'))?.used.uplink).toBe(600)

  const headers = { authorization: `Bearer ${token}` }
  const answer = await fetch(`http://127.0.0.1:${port}/v1/users/ann@home.lan`, { headers })
  expect(await answer.json()).toMatchObject({ email: 'ann@home.lan', limits: { quota: 1000 } })
  const reload = await fetch(`http://127.0.0.1:${port}/v1/reload`, { method: 'POST', headers })
  expect([reload.status, JSON.stringify(await reload.json())]).toEqual([
    422,
    expect.stringContaining('has not said where'),
  ])

  await server.close(0)
  await expect(fetch(`http://127.0.0.1:${port}/health`)).rejects.toThrow()
})

it('knows after a restart what was used before', async () => {
  const accounting = join(folder, 'usage.db')
  const first = await start({ accounting })
  const user = { id: '0b1f6c7d-9e2a-4d35-8c46-a7b8d9e0f112', email: 'ann@home.lan' }
  await first.control.addUser('in', user)
  await send(first, user.id, 700)
  await first.close(0)

  const second = await start({ accounting })
  await second.control.addUser('in', user)
  expect((await second.control.user('ann@home.lan'))?.used.uplink).toBe(700)
})

it('lets the limits of a user who is added again hold, not those that an operator gave before', async () => {
  const server = await start({ accounting: join(folder, 'usage.db') })
  const user = { email: 'ann@home.lan', limits: { quota: 5000 } }
  await server.control.addUser('in', user)
  await server.control.changeUser(user.email, { limits: { enabled: false } })
  await server.control.removeUser(user.email)
  await server.control.addUser('in', user)
  expect((await server.control.user(user.email))?.limits).toMatchObject({ enabled: true, quota: 5000 })
})

it.each([
  [{ limits: { downlink: '2 M' } }, 'limits.downlink'],
  [{ quota: '1 MB' }, 'quota'],
  [{ limits: { quota: -1 } }, 'limits.quota'],
  [{ expires: '2020-01-01' }, 'expires'],
  [{ level: -5 }, 'level'],
])('takes no limit that would limit nothing: %j', async (wrong, field) => {
  const server = await start({})
  const refused = { name: 'ProxyError', code: 'CONTROL_INVALID', field }
  await expect(server.control.addUser('in', { email: 'ann', ...wrong } as NewUser)).rejects.toMatchObject(refused)
  await server.control.addUser('in', { email: 'ann', limits: { downlink: '2 MB/s', quota: '1 GB' } })
  await expect(server.control.changeUser('ann', wrong as UserChange)).rejects.toMatchObject(refused)
  expect((await server.control.user('ann'))?.limits).toMatchObject({ downlink: 2_000_000, quota: 1e9, expires: null })
})

it('opens nothing when one of its parts cannot be opened', async () => {
  const [port] = (await freePorts(1)) as [number]
  await start({ control: { listen: port, token } })
  await expect(start({ control: { listen: port, token } })).rejects.toMatchObject({ code: 'LISTEN_FAILED' })
  expect(servers[1]?.listening).toEqual([])
  await expect(start({ accounting: folder })).rejects.toMatchObject({ code: 'STORE_FAILED' })
})
