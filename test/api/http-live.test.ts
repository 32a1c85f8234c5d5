/** The API in front of an instance at work. */
import { type AddressInfo, createServer, type Server } from 'node:net'
import type { Duplex } from 'node:stream'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { createHttpApi } from '../../src/api/http/server.ts'
import { connect } from '../../src/app/connect.ts'
import { InstanceControl } from '../../src/app/control/control.ts'
import { systemEnv } from '../../src/app/instance/env.ts'
import { Instance } from '../../src/app/instance/instance.ts'
import { loadConfigValue } from '../../src/config/load.ts'
import { long } from '../support/long.ts'
import { type Json, token } from './http-tools.ts'

const steadyId = '27848739-7e62-4138-9fd3-098a63964b6b'
const steady = 'steady@example.com'

let target: Server
let port: number
let instance: Instance
let vmessPort: number
let url: string
let closeApi: () => Promise<void>

beforeEach(async () => {
  target = createServer((socket) => {
    socket.on('error', () => {})
    socket.pipe(socket)
  })
  await new Promise<void>((resolve) => target.listen(0, '127.0.0.1', resolve))
  port = (target.address() as AddressInfo).port
  const { config } = loadConfigValue({
    inbounds: [
      {
        tag: 'in',
        listen: '127.0.0.1',
        port: 0,
        protocol: 'vmess',
        settings: { clients: [{ id: steadyId, email: steady }] },
      },
    ],
    outbounds: [{ tag: 'direct', protocol: 'freedom' }],
  })
  const env = systemEnv()
  instance = new Instance(config!, { env })
  await instance.start()
  vmessPort = instance.listening[0]!.address.port
  const control = new InstanceControl({
    instance,
    env,
    version: '0.1.0',
    reload: () => Promise.resolve({ problems: ['not here'] }),
    restartLog: () => {},
  })
  const api = await createHttpApi({ control, token, clock: env.clock, log: env.log })
  const listening = await api.listen({ host: '127.0.0.1', port: 0 })
  url = `http://127.0.0.1:${listening.address.port}`
  closeApi = listening.close
})

afterEach(async () => {
  await closeApi()
  await instance.stop(0)
  target.close()
})

async function call(method: string, path: string, body?: object): Promise<{ status: number; json: Json }> {
  const answer = await fetch(url + path, {
    method,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(body && { body: JSON.stringify(body) }),
  })
  return { status: answer.status, json: await answer.json() }
}

const dial = (id: string): Promise<Duplex> =>
  connect(`vmess://${id}@127.0.0.1:${vmessPort}`, { host: '127.0.0.1', port })

/** Sends numbered blocks through the echo and checks each that comes back, until it is told to stop. */
function pump(stream: Duplex) {
  const block = Buffer.alloc(16_384)
  let sent = 0
  let received = 0
  let stopped = false
  const broken: string[] = []
  stream.on('error', (error) => broken.push(error.message))
  stream.on('close', () => stopped || broken.push('closed'))
  stream.on('data', (data: Buffer) => {
    for (let i = 0; i < data.length; i += 997) {
      if (data[i] !== ((received + i) & 0xff)) broken.push(`wrong byte at ${received + i}`)
    }
    received += data.length
  })
  const go = async () => {
    for (let i = 0; i < block.length; i++) block[i] = i & 0xff
    while (!stopped && broken.length === 0) {
      sent += block.length
      if (!stream.write(Buffer.from(block))) await new Promise((resolve) => stream.once('drain', resolve))
      // What is on its way stays little, so that the rounds of the API are not starved.
      while (!stopped && broken.length === 0 && sent - received > 262_144) {
        await new Promise((resolve) => setTimeout(resolve, 1))
      }
    }
  }
  const running = go()
  return {
    broken,
    get received() {
      return received
    },
    async stop() {
      stopped = true
      await running
      await expect.poll(() => received, { timeout: 20_000 }).toBe(sent)
      stream.destroy()
    },
  }
}

async function inTurns<T>(items: readonly T[], atOnce: number, work: (item: T) => Promise<void>): Promise<void> {
  const queue = [...items]
  const worker = async () => {
    for (let item = queue.shift(); item !== undefined; item = queue.shift()) await work(item)
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
}

const users = long ? 1000 : 150

it(`${users} users come, change and go under load: nobody else notices, and nothing stays behind`, {
  timeout: 120_000,
}, async () => {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const directory = instance.inbounds[0]!.users!
  const counts = () => ({
    accounts: instance.accounts.size,
    flows: instance.flows.size,
    directory: directory.size,
    connections: instance.connections,
  })
  const pumps = await Promise.all(Array.from({ length: 10 }, async () => pump(await dial(steadyId))))
  const least = () => Math.min(...pumps.map(({ received }) => received))
  const broken = () => pumps.flatMap((one) => one.broken)
  await expect.poll(least, { timeout: 10_000 }).toBeGreaterThan(0)
  const base = counts()
  expect(base).toMatchObject({ accounts: 1, flows: pumps.length, directory: 1 })

  const traces: WeakRef<object>[] = []
  const round = async (name: string, size: number) => {
    const emails = Array.from({ length: size }, (_, i) => `${name}-${i}@example.com`)
    await inTurns(emails, 8, async (email) => {
      const path = `/v1/users/${encodeURIComponent(email)}`
      const added = await call('POST', '/v1/users', { inbound: 'in', email, limits: { quota: '1 GB' } })
      expect(added.status).toBe(201)
      traces.push(new WeakRef(instance.accounts.get(email)!), new WeakRef(directory.find(email)!))
      // Some connect, and are cut off when they are removed.
      const stream = Number(/\d+/.exec(email)![0]) % 50 === 0 ? await dial(added.json.id) : undefined
      if (stream) {
        stream.on('error', () => {})
        stream.write('hello')
        await new Promise((resolve) => stream.once('data', resolve))
        stream.resume()
      }
      const changed = await call('PATCH', path, { level: 1, limits: { connections: 5, expires: '2099-01-01' } })
      expect(changed.json.limits).toMatchObject({ connections: 5, quota: 1e9 })
      const gone = stream && new Promise((resolve) => stream.once('end', resolve).once('close', resolve))
      expect(await call('DELETE', path)).toEqual({ status: 200, json: { ended: stream ? 1 : 0 } })
      await gone
      stream?.destroy()
    })
  }
  await round('first', 100)
  collect()
  const before = process.memoryUsage().heapUsed
  const during = pumps.map(({ received }) => received)
  await round('second', users)

  for (const [i, { received }] of pumps.entries()) expect(received).toBeGreaterThan(during[i]!)
  expect(broken()).toEqual([])
  await expect.poll(counts, { timeout: 10_000 }).toEqual(base)
  const left = () => {
    collect()
    return traces.filter((trace) => trace.deref() !== undefined).length
  }
  // A WeakRef holds its object until the end of the turn in which it was looked at.
  await expect.poll(left, { timeout: 10_000, interval: 50 }).toBe(0)
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(8e6)
  await Promise.all(pumps.map((one) => one.stop()))
  expect(broken()).toEqual([])
})

it('shows a session at work, its events and figures, and ends it', { timeout: 60_000 }, async () => {
  const answer = await fetch(`${url}/v1/events?sessions=true&token=${token}`)
  let text = ''
  const reader = answer.body!.getReader()
  const reading = (async () => {
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      text += new TextDecoder().decode(next.value)
    }
  })()
  const stream = await dial(steadyId)
  const broken = new Promise((resolve) => stream.once('close', resolve))
  stream.on('error', () => {})
  stream.resume()
  const timer = setInterval(() => stream.write(Buffer.alloc(10_000)), 10)
  await expect
    .poll(() => text, { timeout: 20_000 })
    .toMatch(/"live":\[\{.*"speed":\{"uplink":[1-9]\d*,"downlink":[1-9]/)
  const { json } = await call('GET', '/v1/sessions')
  expect(json.sessions).toHaveLength(1)
  expect(json.sessions[0]).toMatchObject({
    inbound: 'in',
    outbound: 'direct',
    email: steady,
    target: `127.0.0.1:${port}`,
  })
  expect(json.sessions[0].totals.uplink).toBeGreaterThan(0)
  expect(json.sessions[0].speed.uplink).toBeGreaterThan(0)
  expect((await call('GET', `/v1/users/${steady}`)).json).toMatchObject({ connections: 1, addresses: ['127.0.0.1'] })

  expect((await call('DELETE', `/v1/sessions/${json.sessions[0].id}`)).status).toBe(200)
  await broken
  clearInterval(timer)
  await expect.poll(() => text, { timeout: 20_000 }).toContain('"reason":"SESSION_ENDED"')
  await closeApi()
  await reading
  const types = [...text.matchAll(/event: session\ndata: \{"type":"(\w+)"/g)].map((match) => match[1])
  expect(types).toEqual(['opened', 'routed', 'closed'])
})

it('shows a full scrape of a live instance', async () => {
  const stream = await dial(steadyId)
  stream.write('hello')
  await new Promise((resolve) => stream.once('data', resolve))
  const answer = await fetch(`${url}/metrics`, { headers: { authorization: `Bearer ${token}` } })
  const text = await answer.text()
  for (const line of [
    'vmess_up 1',
    `vmess_traffic_bytes_total{owner="user",name="${steady}",direction="uplink"} 5`,
    'vmess_traffic_bytes_total{owner="outbound",name="direct",direction="downlink"} 5',
    'vmess_connections{inbound="in"} 1',
    'vmess_sessions 1',
    'vmess_handshakes_total{inbound="in",outcome="accepted",reason=""} 1',
    `vmess_user_used_bytes{email="${steady}",direction="downlink"} 5`,
    `vmess_user_connections{email="${steady}"} 1`,
  ]) {
    expect(text).toContain(`\n${line}\n`)
  }
  stream.destroy()
})
