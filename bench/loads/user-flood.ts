/**
 * node bench/load.mjs user-flood: what honest clients of a server with many users notice of strangers who send random openings, each of
 * which may be anybody's until all keys were tried. Exits with 1 where p99 of them is more than `--most` milliseconds.
 */

import { fork } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { type EchoServer, startEchoServer } from '../../test/interop/rig/echo-server.ts'
import { freePorts, type Peer, startPeer, withPeers } from '../../test/interop/rig/harness.ts'
import { cpuSeconds, percentile } from '../figures.ts'
import { userIds } from '../programs/user-ids.ts'

const { values } = parseArgs({
  options: {
    users: { type: 'string', default: '10000' },
    'per-second': { type: 'string', default: '2000' },
    seconds: { type: 'string', default: '20' },
    most: { type: 'string', default: '50' },
    flood: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
})

const usage = 'node bench/load.mjs user-flood [--users 10000] [--per-second 2000] [--seconds 20] [--most 50]'
const seconds = Number(values.seconds)
const perSecond = Number(values['per-second'])

async function beside(name: string, under: readonly string[], echo: EchoServer): Promise<void> {
  const [port, known, fresh] = (await freePorts(3)) as [number, number, number]
  const server = await startPeer('ours', serverFile(port), { ports: [port], under, startWithinMs: 60_000 })
  await withPeers([server], async () => {
    const client = await startPeer('ours', clientFile(port, { known, fresh }, echo.port), {
      ports: [known, fresh],
      startWithinMs: 60_000,
    })
    await withPeers([client], () => measure(name, server, port, { known, fresh }))
  })
}

interface Doors {
  /** Its connections all come from one address, from which many users were let in. */
  readonly known: number
  /** Each of its connections comes from an address of its own. */
  readonly fresh: number
}

/** Only 127.0.0.2 is the strangers'. */
const through: Readonly<Record<keyof Doors, string>> = { known: '127.0.0.3', fresh: '127.1.0.0/16' }

const log = { access: 'none', loglevel: 'none' }
const users = userIds(Number(values.users)).map((id, i) => ({ id, alterId: 0, email: `user${i}@example.org` }))

const serverFile = (port: number): object => ({
  log,
  inbounds: [{ listen: '127.0.0.1', port, protocol: 'vmess', settings: { clients: users } }],
  outbounds: [{ protocol: 'freedom' }],
})

/** Each connection is that of a random user. */
const clientFile = (server: number, doors: Doors, target: number): object => ({
  log,
  inbounds: (['known', 'fresh'] as const).map((tag) => ({
    tag,
    listen: '127.0.0.1',
    port: doors[tag],
    protocol: 'dokodemo-door',
    settings: { address: '127.0.0.1', port: target, network: 'tcp' },
  })),
  outbounds: (['known', 'fresh'] as const).map((tag) => ({
    tag,
    protocol: 'vmess',
    sendThrough: through[tag],
    settings: { vnext: [{ address: '127.0.0.1', port: server, users }] },
  })),
  routing: {
    rules: (['known', 'fresh'] as const).map((tag) => ({ type: 'field', inboundTag: [tag], outboundTag: tag })),
  },
})

async function measure(name: string, server: Peer, port: number, doors: Doors): Promise<void> {
  const honest = async (ms: number) => {
    const [known, fresh] = await Promise.all([echoes(doors.known, ms), echoes(doors.fresh, ms)])
    return { known, fresh }
  }
  await honest(3_000)
  told(`${name}, nobody else`, await honest(5_000))
  const child = fork(fileURLToPath(import.meta.url), process.argv.slice(2).concat('--flood', String(port)))
  const gone = once(child, 'exit')
  try {
    await sleep(1_500)
    const [cpu, begun] = [cpuSeconds(server.pid), performance.now()]
    const served = await honest(seconds * 1_000)
    const share = ((cpuSeconds(server.pid) - cpu) / (performance.now() - begun)) * 100_000
    child.send('how many')
    const [sent] = (await once(child, 'message')) as [number]
    told(
      `${name}, beside ${sent.toFixed(0)} strangers a second (the server at ${share.toFixed(0)} % of a core)`,
      served,
    )
    const worst = Math.max(percentile(served.known.ms, 99), percentile(served.fresh.ms, 99))
    if (worst > Number(values.most) || served.known.failed + served.fresh.failed > 0) process.exitCode = 1
  } finally {
    child.kill()
    await gone
  }
}

interface Echoes {
  readonly ms: readonly number[]
  readonly failed: number
}

/** Connections one after another, each until its echo is back. */
async function echoes(port: number, forMs: number): Promise<Echoes> {
  const ms: number[] = []
  let failed = 0
  for (const until = performance.now() + forMs; performance.now() < until; await sleep(10)) {
    const begun = performance.now()
    const socket = connect({ host: '127.0.0.1', port, noDelay: true }).on('error', () => {})
    socket.setTimeout(10_000, () => socket.destroy())
    socket.write('hello')
    const back = await new Promise<boolean>((resolve) => {
      socket.once('data', () => resolve(true)).once('close', () => resolve(false))
    })
    socket.destroy()
    if (back) ms.push(performance.now() - begun)
    else failed++
  }
  return { ms, failed }
}

function told(when: string, served: Readonly<Record<keyof Doors, Echoes>>): void {
  console.log(`${when}; ms (median / p99 / worst):`)
  for (const [from, { ms, failed }] of Object.entries(served)) {
    const figures = [50, 99, 100].map((percent) => percentile(ms, percent).toFixed(1)).join(' / ')
    console.log(`  from ${from} addresses: ${figures} (${ms.length} served, ${failed} failed)`)
  }
}

/** In a process of its own: so many strangers a second, each of whom leaves after one second. */
async function flood(port: number): Promise<void> {
  const begun = performance.now()
  let sent = 0
  process.on('message', () => process.send!((sent / (performance.now() - begun)) * 1_000))
  process.on('disconnect', () => process.exit())
  for (let due = 0; ; await sleep(5)) {
    due = Math.min(((performance.now() - begun) / 1_000) * perSecond, sent + perSecond / 10)
    for (; sent < due; sent++) {
      const socket = connect({ host: '127.0.0.1', port, localAddress: '127.0.0.2' }).on('error', () => {})
      socket.resume().write(randomBytes(16))
      // By a reset: ports of one address that must rest for a minute are soon used up.
      setTimeout(() => socket.resetAndDestroy(), 1_000)
    }
  }
}

if (values.help) console.log(usage)
else if (values.flood) await flood(Number(values.flood))
else {
  const echo = await startEchoServer()
  try {
    await beside('ours', [], echo)
    await beside('ours plain', ['/usr/bin/env', 'VMESS_NATIVE=off'], echo)
  } finally {
    await echo.close()
  }
}
