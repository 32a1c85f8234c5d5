/**
 * node bench/load.mjs strangers: what a server with few descriptors does to honest clients: among idle strangers, in a burst, and
 * with dials of clients who have left.
 */

import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { openDescriptors } from '../../test/e2e/process-usage.ts'
import { freePorts, type Peer, startPeer, withPeers } from '../../test/interop/rig/harness.ts'
import { socksConnect } from '../../test/interop/rig/socks-client.ts'
import { echoOnce, order } from '../../test/interop/rig/traffic.ts'
import { startTarget, type Target } from '../../test/interop/target.ts'
import { SilentTarget } from '../../test/support/silent-target.ts'
import { cpuSeconds, percentile } from '../figures.ts'

const { values } = parseArgs({
  options: {
    strangers: { type: 'string', default: '20000' },
    limit: { type: 'string', default: '8192' },
    generators: { type: 'string', default: '2' },
    idle: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
})

if (values.help) console.log('node bench/load.mjs strangers [--strangers 20000] [--limit 8192] [--generators 2]')
else if (values.idle) generate(JSON.parse(values.idle) as Task)
else await main(Number(values.strangers), Number(values.limit), Number(values.generators))

interface Task {
  readonly port: number
  readonly count: number
  /** The generators have different ones; 127.0.0.1, the address of the honest clients, is among them. */
  readonly from: readonly string[]
}

async function main(strangers: number, limit: number, generators: number): Promise<void> {
  const target = await startTarget()
  try {
    await underLimit(limit, (port, server) => flood({ port, server, target, strangers, generators }))
    await underLimit(200, (port, server) => burst({ port, server, target }))
    await underLimit(1_000, (port, server) => abandoned({ port, server }))
  } finally {
    await target.close()
  }
}

async function underLimit(descriptors: number, body: (port: number, server: Peer) => Promise<void>): Promise<void> {
  const [port] = (await freePorts(1)) as [number]
  const config = {
    log: { access: 'none', loglevel: 'warning' },
    inbounds: [{ protocol: 'socks', listen: '0.0.0.0', port }],
    outbounds: [{ protocol: 'freedom' }],
  }
  const under = ['sh', '-c', `ulimit -n ${descriptors}; exec "$@"`, 'sh']
  const server = await startPeer('ours', config, { ports: [port], under })
  await withPeers([server], () => body(port, server))
}

async function beServed(port: number, target: Target): Promise<void> {
  const wire = await socksConnect(port, target, { stallMs: 20_000 })
  await order(wire, { mode: 'echo' })
  await echoOnce(wire, Buffer.from('hello'))
  wire.destroy()
}

interface Flood {
  readonly port: number
  readonly server: Peer
  readonly target: Target
  readonly strangers: number
  readonly generators: number
}

/** Idle strangers, and honest clients one after another as long as these come and for two seconds more. */
async function flood({ port, server, target, strangers, generators }: Flood): Promise<void> {
  const quiet = honestClients(port, target)
  await sleep(2_000)
  told('before', await quiet.stop())
  const honest = honestClients(port, target)
  const children = Array.from({ length: generators }, (_, i) => {
    const from = ['127.0.0.1', ...Array.from({ length: 20 }, (_, j) => `127.0.${i + 1}.${j + 1}`)]
    return started({ port, count: Math.ceil(strangers / generators), from })
  })
  const begun = performance.now()
  const cpu = cpuSeconds(server.pid)
  const connected = await Promise.all(children.map((child) => once(child, 'message') as Promise<[number]>))
  const seconds = (performance.now() - begun) / 1000
  const during = openDescriptors(server.pid)
  const each = ((cpuSeconds(server.pid) - cpu) / strangers) * 1e6
  await sleep(2_000)
  const served = await honest.stop()
  for (const child of children) child.kill()
  const total = connected.reduce((sum, [count]) => sum + count, 0)
  console.log(
    `flood: ${total} of ${strangers} idle strangers connected in ${seconds.toFixed(1)} s, ${during} descriptors in use, ${each.toFixed(0)} µs of the server for each`,
  )
  told('meanwhile', served)
  if (served.failed > 0) process.exitCode = 1
}

interface Served {
  /** Until the TCP connection stands, and until an echo through the proxy is back, ms. */
  readonly connected: readonly number[]
  readonly echoed: readonly number[]
  readonly failed: number
}

/** Honest clients, one after another. */
function honestClients(port: number, target: Target): { stop(): Promise<Served> } {
  const connected: number[] = []
  const echoed: number[] = []
  let failed = 0
  let over = false
  const all = (async () => {
    while (!over) {
      const start = performance.now()
      const socket = connect(port, '127.0.0.1').on('error', () => {})
      socket.once('connect', () => connected.push(performance.now() - start))
      await beServed(port, target).catch(() => failed++)
      echoed.push(performance.now() - start)
      socket.destroy()
      await sleep(10)
    }
  })()
  return {
    async stop() {
      over = true
      await all
      return { connected, echoed, failed }
    },
  }
}

function told(when: string, { connected, echoed, failed }: Served): void {
  const figures = (values: readonly number[]) =>
    [50, 99, 100].map((percent) => percentile(values, percent).toFixed(1)).join(' / ')
  console.log(`  honest ${when}: ${echoed.length - failed} served, ${failed} failed; ms (median / p99 / worst):`)
  console.log(`    connected ${figures(connected)}, served ${figures(echoed)}`)
}

function started(task: Task): ChildProcess {
  return fork(fileURLToPath(import.meta.url), ['--idle', JSON.stringify(task)], { stdio: 'inherit' })
}

/** In a process of its own: connects, a hundred at a time, says nothing, and stays whatever becomes of the others. */
async function generate({ port, count, from }: Task): Promise<void> {
  let connected = 0
  for (let i = 0; i < count; i += 100) {
    const some = Array.from({ length: Math.min(100, count - i) }, (_, j) => {
      const socket = connect({ port, host: '127.0.0.1', localAddress: from[(i + j) % from.length]! })
      return once(socket.on('error', () => {}).resume(), 'connect').then(
        () => connected++,
        () => {},
      )
    })
    await Promise.all(some)
  }
  process.send!(connected)
}

/** Clients that all come at once, each of which leaves when it was served. */
async function burst({ port, target }: Omit<Flood, 'strangers' | 'generators'>): Promise<void> {
  const times: number[] = []
  const begun = performance.now()
  const outcomes = await Promise.allSettled(
    Array.from({ length: 150 }, async () => {
      await beServed(port, target)
      times.push(performance.now() - begun)
    }),
  )
  const failed = outcomes.filter(({ status }) => status === 'rejected').length
  const [median, last] = [percentile(times, 50).toFixed(0), Math.max(...times).toFixed(0)]
  console.log(
    `burst: 150 at once under a limit of 200: ${150 - failed} served, ${failed} failed; ms: median ${median}, last ${last}`,
  )
  if (failed > 0) process.exitCode = 1
}

/** Clients of a target that drops everything, who leave; the time until their descriptors are back. */
async function abandoned({ port, server }: { port: number; server: Peer }): Promise<void> {
  const silent = await SilentTarget.start()
  const ways = { reset: (socket: Socket) => socket.resetAndDestroy(), FIN: (socket: Socket) => socket.destroy() }
  await sleep(500)
  for (const [way, leave] of Object.entries(ways)) {
    const before = openDescriptors(server.pid)
    const sockets = await Promise.all(
      Array.from({ length: 100 }, async () => {
        const socket = connect(port, '127.0.0.1').on('error', () => {})
        await once(socket, 'connect')
        socket.resume()
        socket.write(Uint8Array.of(5, 1, 0, 5, 1, 0, 1, 127, 0, 0, 1, silent.port >> 8, silent.port & 0xff))
        return socket
      }),
    )
    await sleep(300)
    const during = openDescriptors(server.pid)
    const begun = performance.now()
    for (const socket of sockets) leave(socket)
    while (openDescriptors(server.pid) > before && performance.now() - begun < 20_000) await sleep(5)
    const ms = (performance.now() - begun).toFixed(0)
    console.log(`abandoned dials (${way}): descriptors ${before}, ${during} during, ${before} again after ${ms} ms`)
  }
  silent.close()
}
