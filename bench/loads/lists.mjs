// node bench/load.mjs lists [users]: how long lists of many users hold up everybody else.
// The longest gap that a timer of 1 ms in the server's process sees while another process scrapes and lists, and in brackets
// the processor time of the server (collector included) in its busiest gap: on a busy machine that says more. Needs dist/.
import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer as createTcpServer } from 'node:net'
import { systemEnv } from '../../dist/app/instance/env.js'
import { Launch } from '../../dist/app/instance/launch.js'
import { loadConfigValue } from '../../dist/config/load.js'

const count = Number(process.argv[2] ?? 10_000)
const token = 'a-token-of-enough-characters'

const [httpPort, grpcPort] = await Promise.all([freePort(), freePort()])
const { config } = loadConfigValue({
  inbounds: [
    {
      tag: 'in',
      listen: '127.0.0.1',
      port: 0,
      protocol: 'vmess',
      settings: {
        clients: Array.from({ length: count }, (_, i) => ({
          id: randomUUID(),
          email: `user-${i}@example.com`,
          limits: { quota: '100 GB' },
        })),
      },
    },
  ],
  outbounds: [{ tag: 'direct', protocol: 'freedom' }],
  control: { listen: httpPort, token },
  api: { tag: 'api', listen: `127.0.0.1:${grpcPort}`, services: ['StatsService', 'HandlerService'] },
})
const reload = async () => ({ problems: [] })
const launch = new Launch(config, { env: systemEnv(), reload, restartLog() {} })
await launch.start()
// As if everybody had carried something: two counters each.
const { counters } = launch.instance
for (let i = 0; i < count; i++) {
  for (const direction of ['uplink', 'downlink'])
    counters.of(`user>>>user-${i}@example.com>>>traffic>>>${direction}`).add(i)
}

const headers = JSON.stringify({ authorization: `Bearer ${token}` })
const http = (path) => `
  let next = ''
  do {
    const answer = await fetch('http://127.0.0.1:${httpPort}${path}' + next, { headers: ${headers} })
    const text = await answer.text()
    const found = ${path.startsWith('/v1')} ? JSON.parse(text).next : undefined
    next = found === undefined ? undefined : '?cursor=' + found
  } while (next !== undefined)`
const grpc = (name, request) => `
  const { call } = await import(${JSON.stringify(new URL('lists-grpc.mjs', import.meta.url).href)})
  await call(${grpcPort}, ${JSON.stringify(name)}, ${JSON.stringify(request)})`

const asked = {
  'nothing, for comparison': 'await new Promise((resolve) => setTimeout(resolve, 1000))',
  'GET /metrics': http('/metrics'),
  'GET /v1/users, every page': http('/v1/users'),
  'GET /v1/counters, every page': http('/v1/counters'),
  QueryStats: grpc('StatsService.QueryStats', {}),
  'QueryStats, regular expression': grpc('StatsService.QueryStats', { pattern: '^user.*uplink$', regexp: true }),
  GetInboundUsers: grpc('HandlerService.GetInboundUsers', { tag: 'in' }),
}

console.log(`${count} users; three times each, the first to warm up`)
for (const [name, code] of Object.entries(asked)) {
  const gaps = []
  for (let round = 0; round < 3; round++) gaps.push(await longestGap(code))
  console.log(
    `${name.padEnd(34)} ${gaps.map(({ wall, cpu }) => `${wall.toFixed(1)} (${cpu.toFixed(1)}) ms`).join(', ')}`,
  )
}
await launch.stop(0)

/** The longest time, and the most processor time, between two turns of a 1 ms timer of this process while another one runs `code`. */
async function longestGap(code) {
  const longest = { wall: 0, cpu: 0 }
  let last = { at: performance.now(), used: process.cpuUsage() }
  const timer = setInterval(() => {
    const { user, system } = process.cpuUsage(last.used)
    longest.wall = Math.max(longest.wall, performance.now() - last.at)
    longest.cpu = Math.max(longest.cpu, (user + system) / 1000)
    last = { at: performance.now(), used: process.cpuUsage() }
  }, 1)
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], {
    stdio: ['ignore', 'inherit', 'inherit'],
  })
  // Starting a process holds this one up, and is not what is measured.
  await once(child, 'spawn')
  await new Promise((resolve) => setTimeout(resolve, 20))
  Object.assign(longest, { wall: 0, cpu: 0 })
  last = { at: performance.now(), used: process.cpuUsage() }
  const [status] = await once(child, 'exit')
  clearInterval(timer)
  if (status !== 0) throw new Error(`the client ended with ${status}`)
  return longest
}

async function freePort() {
  const probe = createTcpServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address()
  await new Promise((resolve) => probe.close(resolve))
  return port
}
