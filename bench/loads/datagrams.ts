/**
 * node bench/load.mjs datagrams: what datagrams do to others and leave behind. A flood through a local port of our client, with
 * another user's requests beside it, every datagram accounted for; and thousands of clients that send once and are gone.
 */

import { fork } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { setPriority } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { heldBy, measured } from '../../test/e2e/held-memory.ts'
import { openDescriptors } from '../../test/e2e/process-usage.ts'
import { testId } from '../../test/interop/rig/configs.ts'
import { freePorts, type Peer, startPeer, withPeers } from '../../test/interop/rig/harness.ts'
import { Wire } from '../../test/interop/rig/wire.ts'
import { cpuSeconds, percentile, residentKb } from '../figures.ts'

const help = `node bench/load.mjs datagrams [--rate 100000] [--seconds 30] [--nice 0] [--sessions 5000] [--no-reader]

  --rate N       datagrams of 200 bytes a second that are offered; 0 leaves the flood out
  --nice N       priority of the process that sends them
  --no-reader    the target only counts what comes and reads nothing, so that it takes no time from the two proxies
  --sessions N   clients that send once and are gone; 0 leaves them out`

const { values } = parseArgs({
  options: {
    rate: { type: 'string', default: '100000' },
    seconds: { type: 'string', default: '30' },
    nice: { type: 'string', default: '0' },
    sessions: { type: 'string', default: '5000' },
    'no-reader': { type: 'boolean', default: false },
    part: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
})

/** Idle limit of the sessions that are left, seconds: longer than it takes to open all of them. */
const idleS = 40

if (values.help) console.log(help)
else if (values.part) await part(JSON.parse(values.part) as Part)
else await main()

/** What runs in a process of its own. */
type Part =
  | {
      readonly kind: 'sender'
      readonly port: number
      readonly rate: number
      readonly seconds: number
      readonly nice: number
    }
  | { readonly kind: 'target'; readonly reads: boolean }

interface Sent {
  readonly sent: number
  readonly cpuS: number
}

async function main(): Promise<void> {
  const [rate, seconds, nice, sessions] = [values.rate, values.seconds, values.nice, values.sessions].map(Number)
  if (rate! > 0) await flood({ rate: rate!, seconds: seconds!, nice: nice! })
  if (sessions! > 0) await leavers(sessions!)
}

function part(task: Part): Promise<void> {
  return task.kind === 'sender' ? send(task) : receive(task)
}

/** Sends in bursts, as many as the clock says are due, and tells how many the kernel has taken. */
async function send({ port, rate, seconds, nice }: Part & { kind: 'sender' }): Promise<void> {
  setPriority(nice)
  const socket = createSocket({ type: 'udp4', sendBufferSize: 1 << 22 })
  socket.on('error', () => {})
  socket.connect(port, '127.0.0.1')
  await once(socket, 'connect')
  const payload = Buffer.alloc(200, 'x')
  let sent = 0
  const begun = performance.now()
  for (let passed = 0; passed < seconds * 1000; passed = performance.now() - begun) {
    const due = (rate * passed) / 1000
    for (let burst = 0; sent < due && burst < 256; burst++, sent++) socket.send(payload)
    // A full queue would not say what it drops; on loopback there is none.
    while (socket.getSendQueueCount() > 0) await new Promise(setImmediate)
    await (sent < due ? new Promise(setImmediate) : sleep(1))
  }
  const { user, system } = process.cpuUsage()
  process.send!({ sent, cpuS: (user + system) / 1e6 } satisfies Sent)
  socket.close()
  process.disconnect()
}

/** Says where it listens, and how many have come whenever it is asked. */
async function receive({ reads }: Part & { kind: 'target' }): Promise<void> {
  const socket = createSocket({ type: 'udp4', recvBufferSize: 1 << 23 })
  let count = 0
  socket.on('message', () => count++)
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  process.on('message', (word) => {
    // What has not been read is in the socket still, or counted by the kernel.
    if (word === 'start' && !reads)
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, Number(values.seconds) * 1000 + 2_000)
    if (word === 'count') process.send!(count)
  })
  process.send!(socket.address().port)
}

interface Rig {
  readonly client: Peer
  readonly server: Peer
  readonly udpDoor: number
  readonly tcpDoor: number
}

/** A client with a UDP and a TCP port that each lead to one target, and its server. */
async function withRig(
  targets: { readonly udp: number; readonly tcp: number },
  timeout: number,
  body: (rig: Rig) => Promise<void>,
): Promise<void> {
  const [port, udpDoor, tcpDoor] = (await freePorts(3)) as [number, number, number]
  const log = { access: 'none', loglevel: 'debug' }
  const policy = { levels: { 0: { connIdle: timeout } } }
  const door = (at: number, to: number, network: string) => ({
    listen: '127.0.0.1',
    port: at,
    protocol: 'dokodemo-door',
    settings: { address: '127.0.0.1', port: to, network, ...(network === 'udp' && { timeout }) },
  })
  const users = [{ id: testId, security: 'aes-128-gcm' }]
  const server = await startPeer(
    'ours',
    {
      log,
      policy,
      inbounds: [{ listen: '127.0.0.1', port, protocol: 'vmess', settings: { clients: [{ id: testId }] } }],
      outbounds: [{ protocol: 'freedom' }],
    },
    { ports: [port], name: 'server', ...measured },
  )
  const client = await startPeer(
    'ours',
    {
      log,
      policy,
      inbounds: [door(udpDoor, targets.udp, 'udp'), door(tcpDoor, targets.tcp, 'tcp')],
      outbounds: [
        { protocol: 'vmess', packetEncoding: 'none', settings: { vnext: [{ address: '127.0.0.1', port, users }] } },
      ],
    },
    { ports: [tcpDoor], name: 'client', ...measured },
  )
  await withPeers([server, client], () => body({ client, server, udpDoor, tcpDoor }))
}

function started(task: Part) {
  const child = fork(fileURLToPath(import.meta.url), ['--seconds', values.seconds, '--part', JSON.stringify(task)])
  const said = async <T>(): Promise<T> => ((await once(child, 'message')) as [T])[0]
  return { child, said }
}

/** A process that datagrams are sent to. */
async function startTarget(reads: boolean) {
  const { child, said } = started({ kind: 'target', reads })
  const port = await said<number>()
  const count = (): Promise<number> => {
    child.send('count')
    return said<number>()
  }
  return { port, pid: child.pid!, count, start: () => child.send('start'), close: () => child.kill() }
}

async function startEcho() {
  const server = createServer((socket) => socket.on('error', () => {}).pipe(socket))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { port: (server.address() as { port: number }).port, close: () => server.close() }
}

async function flood({ rate, seconds, nice }: { rate: number; seconds: number; nice: number }): Promise<void> {
  const [sink, echo] = [await startTarget(!values['no-reader']), await startEcho()]
  try {
    await withRig({ udp: sink.port, tcp: echo.port }, 4, async ({ client, server, udpDoor, tcpDoor }) => {
      const wire = new Wire(connect(tcpDoor, '127.0.0.1'), 'another user', 20_000)
      await wire.connected()
      const quiet = await echoes(wire, sleep(3_000))
      const pids = [client.pid, server.pid, sink.pid, process.pid]
      const before = pids.map(residentKb)
      let most = [...before]
      const watch = setInterval(() => {
        most = pids.map((pid, i) => Math.max(most[i]!, residentKb(pid)))
      }, 200)
      const cpu = pids.map(cpuSeconds)
      sink.start()
      const sender = started({ kind: 'sender', port: udpDoor, rate, seconds, nice })
      const offered = sender.said<Sent>()
      const busy = await echoes(wire, offered)
      const { sent, cpuS } = await offered
      const used = pids.map((pid, i) => (((cpuSeconds(pid) - cpu[i]!) / seconds) * 100).toFixed(0))
      clearInterval(watch)
      const atDoor = kernelDrops(udpDoor)
      const drops = await Promise.all([client, server].map(ended))
      const atSink = kernelDrops(sink.port)
      const arrived = await sink.count()
      wire.destroy()
      const ours = drops.reduce((sum, count) => sum + count, 0)
      const counted = arrived + atSink + ours + atDoor
      console.log(
        `flood: ${sent} datagrams of 200 bytes in ${seconds} s (${Math.round(sent / seconds)} a second); read ${arrived}, dropped by the kernel at our door ${atDoor}, by the client ${drops[0]}, by the server ${drops[1]}, by the kernel at the target ${atSink}: ${counted} of ${sent} accounted for`,
      )
      const grown = most.map((kb, i) => ((kb - before[i]!) / 1024).toFixed(1))
      console.log(`       resident memory grew by at most ${grown[0]} MB (client) and ${grown[1]} MB (server)`)
      const p = (times: readonly number[]) =>
        `p50 ${percentile(times, 50).toFixed(1)}, p99 ${percentile(times, 99).toFixed(1)}, most ${Math.max(...times).toFixed(1)} ms`
      console.log(`       another user, 64 bytes there and back: ${p(quiet)} before, ${p(busy)} meanwhile`)
      console.log(
        `       % of a core: sender ${((cpuS / seconds) * 100).toFixed(0)}, client ${used[0]}, server ${used[1]}, target ${used[2]}, the other user ${used[3]}`,
      )
      if (counted !== sent) process.exitCode = 1
    })
  } finally {
    sink.close()
    echo.close()
  }
}

/** What the flow of the flood has dropped, by the message at its end. */
async function ended(peer: Peer): Promise<number> {
  const [line] = await peer.logged(/.*no datagram passed within the idle limit.*/, 20_000)
  return Number(/droppedUp=(\d+)/.exec(line)?.[1] ?? 0)
}

async function echoes(wire: Wire, until: Promise<unknown>): Promise<number[]> {
  const times: number[] = []
  const bytes = Buffer.alloc(64, 'ping')
  let over = false
  void until.then(() => {
    over = true
  })
  while (!over) {
    const startedAt = performance.now()
    await wire.write(bytes)
    await wire.read(bytes.length)
    times.push(performance.now() - startedAt)
    await sleep(5)
  }
  return times
}

/** Datagrams that the kernel dropped because the socket's buffer was full. */
function kernelDrops(port: number): number {
  const at = `:${port.toString(16).toUpperCase().padStart(4, '0')}`
  let drops = 0
  for (const file of ['udp', 'udp6']) {
    for (const line of readFileSync(`/proc/net/${file}`, 'utf8').split('\n')) {
      const fields = line.trim().split(/\s+/)
      if (fields[1]?.endsWith(at)) drops += Number(fields.at(-1))
    }
  }
  return drops
}

async function leavers(sessions: number): Promise<void> {
  const sink = await startTarget(true)
  try {
    await withRig({ udp: sink.port, tcp: 9 }, idleS, async ({ client, server, udpDoor }) => {
      const peers = [client, server]
      const held = peers.map(heldBy)
      const state = async () => ({
        held: await Promise.all(held.map((of) => of())),
        open: peers.map(({ pid }) => openDescriptors(pid)),
      })
      await visit(udpDoor, 200)
      await gone(peers)
      const before = await state()
      await visit(udpDoor, sessions)
      // A busy machine still opens them when all have sent.
      for (const late = performance.now() + idleS * 500; performance.now() < late; await sleep(100)) {
        if ((await sink.count()) === sessions + 200) break
      }
      const during = peers.map(({ pid }) => openDescriptors(pid))
      await gone(peers)
      const after = await state()
      const mb = (bytes: number) => (bytes / 1e6).toFixed(1)
      for (const [i, name] of ['client', 'server'].entries()) {
        console.log(
          `left: ${sessions} sessions, ${name}: ${before.open[i]} descriptors before, ${during[i]} meanwhile, ${after.open[i]} after; holds ${mb(before.held[i]!)} MB before, ${mb(after.held[i]!)} MB after`,
        )
      }
      console.log(`      ${await sink.count()} of ${sessions + 200} datagrams arrived`)
    })
  } finally {
    sink.close()
  }
}

/** Each from a port of its own, which stays taken until all have sent. */
async function visit(port: number, count: number): Promise<void> {
  const sockets = []
  for (let i = 0; i < count; i++) {
    const socket = createSocket('udp4')
    sockets.push(socket)
    await new Promise<void>((resolve) => socket.send('hello', port, '127.0.0.1', () => resolve()))
    if (i % 50 === 49) await sleep(20)
  }
  await sleep(1_000)
  for (const socket of sockets) socket.close()
}

/** Until the idle limit has passed and no more descriptors are given back for two seconds. */
async function gone(peers: readonly Peer[]): Promise<void> {
  await sleep(idleS * 1_000)
  const open = () => peers.reduce((sum, { pid }) => sum + openDescriptors(pid), 0)
  for (let before = -1; before !== open(); ) {
    before = open()
    await sleep(2_000)
  }
}
