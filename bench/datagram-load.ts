/**
 * node bench/datagrams.mjs: what datagrams do to others and leave behind. A flood through a local port of our client, with
 * another user's requests beside it, every datagram accounted for; and thousands of clients that send once and are gone.
 */

import { type ChildProcess, fork } from 'node:child_process'
import { createSocket } from 'node:dgram'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { heldBy, measured } from '../test/e2e/held-memory.ts'
import { openDescriptors } from '../test/e2e/process-usage.ts'
import { testId } from '../test/interop/configs.ts'
import { freePorts, type Peer, startPeer, withPeers } from '../test/interop/harness.ts'
import { Wire } from '../test/interop/wire.ts'
import { percentile, residentKb } from './figures.ts'

const { values } = parseArgs({
  options: {
    rate: { type: 'string', default: '100000' },
    seconds: { type: 'string', default: '30' },
    sessions: { type: 'string', default: '5000' },
    generate: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
})

if (values.help) console.log('node bench/datagrams.mjs [--rate 100000] [--seconds 30] [--sessions 5000]')
else if (values.generate) await generate(JSON.parse(values.generate) as Task)
else await main(Number(values.rate), Number(values.seconds), Number(values.sessions))

interface Task {
  readonly port: number
  readonly rate: number
  readonly seconds: number
}

async function main(rate: number, seconds: number, sessions: number): Promise<void> {
  await flood(rate, seconds)
  if (sessions > 0) await leavers(sessions)
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

/** Receives and counts. */
async function startSink() {
  const socket = createSocket({ type: 'udp4', recvBufferSize: 1 << 23 })
  let count = 0
  socket.on('message', () => count++)
  socket.bind(0, '127.0.0.1')
  await once(socket, 'listening')
  return { port: socket.address().port, count: () => count, close: () => socket.close() }
}

async function startEcho() {
  const server = createServer((socket) => socket.on('error', () => {}).pipe(socket))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return { port: (server.address() as { port: number }).port, close: () => server.close() }
}

async function flood(rate: number, seconds: number): Promise<void> {
  const [sink, echo] = [await startSink(), await startEcho()]
  try {
    await withRig({ udp: sink.port, tcp: echo.port }, 4, async ({ client, server, udpDoor, tcpDoor }) => {
      const wire = new Wire(connect(tcpDoor, '127.0.0.1'), 'another user', 20_000)
      await wire.connected()
      const quiet = await echoes(wire, sleep(3_000))
      const before = [client, server].map(({ pid }) => residentKb(pid))
      let most = [...before]
      const watch = setInterval(() => {
        most = [client, server].map(({ pid }, i) => Math.max(most[i]!, residentKb(pid)))
      }, 200)
      const generator = started({ port: udpDoor, rate, seconds })
      const offered = once(generator, 'message') as Promise<[number]>
      const busy = await echoes(wire, offered)
      const [sent] = await offered
      clearInterval(watch)
      const atDoor = kernelDrops(udpDoor)
      const drops = await Promise.all([client, server].map(ended))
      const atSink = kernelDrops(sink.port)
      wire.destroy()
      const ours = drops.reduce((sum, count) => sum + count, 0)
      const counted = sink.count() + atSink + ours + atDoor
      console.log(
        `flood: ${sent} datagrams of 200 bytes in ${seconds} s (${Math.round(sent / seconds)} a second); arrived ${sink.count()}, dropped by the kernel at our door ${atDoor}, by the client ${drops[0]}, by the server ${drops[1]}, by the kernel at the target ${atSink}: ${counted} of ${sent} accounted for`,
      )
      const grown = most.map((kb, i) => ((kb - before[i]!) / 1024).toFixed(1))
      console.log(`       resident memory grew by at most ${grown[0]} MB (client) and ${grown[1]} MB (server)`)
      const p = (times: readonly number[]) =>
        `p50 ${percentile(times, 50).toFixed(1)}, p99 ${percentile(times, 99).toFixed(1)} ms`
      console.log(`       another user, 64 bytes there and back: ${p(quiet)} before, ${p(busy)} meanwhile`)
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
  const sink = await startSink()
  try {
    await withRig({ udp: sink.port, tcp: 9 }, 5, async ({ client, server, udpDoor }) => {
      const peers = [client, server]
      const held = peers.map(heldBy)
      const state = async () => ({
        held: await Promise.all(held.map((of) => of())),
        open: peers.map(({ pid }) => openDescriptors(pid)),
      })
      await visit(udpDoor, 200)
      await gone(peers, 5_000)
      const before = await state()
      await visit(udpDoor, sessions)
      const during = peers.map(({ pid }) => openDescriptors(pid))
      await gone(peers, 15_000)
      const after = await state()
      const mb = (bytes: number) => (bytes / 1e6).toFixed(1)
      for (const [i, name] of ['client', 'server'].entries()) {
        console.log(
          `left: ${sessions} sessions, ${name}: ${before.open[i]} descriptors before, ${during[i]} meanwhile, ${after.open[i]} after; holds ${mb(before.held[i]!)} MB before, ${mb(after.held[i]!)} MB after`,
        )
      }
      console.log(`      ${sink.count()} of ${sessions + 200} datagrams arrived`)
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

/** Until no more descriptors are given back for two seconds. */
async function gone(peers: readonly Peer[], atLeastMs: number): Promise<void> {
  await sleep(atLeastMs)
  const open = () => peers.reduce((sum, { pid }) => sum + openDescriptors(pid), 0)
  for (let before = -1; before !== open(); ) {
    before = open()
    await sleep(2_000)
  }
}

function started(task: Task): ChildProcess {
  return fork(fileURLToPath(import.meta.url), ['--generate', JSON.stringify(task)])
}

/** Sends in bursts of a millisecond, as many as the clock says are due. */
async function generate({ port, rate, seconds }: Task): Promise<void> {
  const socket = createSocket({ type: 'udp4', sendBufferSize: 1 << 22 })
  socket.connect(port, '127.0.0.1')
  await once(socket, 'connect')
  const payload = Buffer.alloc(200, 'x')
  let [sent, taken] = [0, 0]
  const begun = performance.now()
  while (performance.now() - begun < seconds * 1000) {
    const due = Math.min(rate * seconds, (rate * (performance.now() - begun)) / 1000)
    for (let burst = 0; sent < due && burst < 500; burst++, sent++) socket.send(payload, (error) => error ?? taken++)
    await new Promise(setImmediate)
  }
  await sleep(200)
  process.send!(taken)
  socket.close()
  process.disconnect()
}
