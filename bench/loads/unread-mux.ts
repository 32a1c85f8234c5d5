/**
 * node bench/load.mjs unread-mux: Mux.Cool, which has no window, with ours receiving: seven downloads that share a carrier with an eighth that
 * nobody reads. One whose offer is below its bound must not slow them down; an endless one may keep them waiting for a stated time,
 * holds no more memory than the carrier's bound, and is ended.
 */
import { createServer, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { limits } from '../../src/core/limits.ts'
import { createClient, type DuplexSocket } from '../../src/index.ts'
import { serverConfig, testId } from '../../test/interop/rig/configs.ts'
import { freePorts, hasV2ray, type Program, startPeer, withPeers } from '../../test/interop/rig/harness.ts'
import { median } from '../figures.ts'

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '2' },
    help: { type: 'boolean', default: false },
  },
})

const streams = 7
const quiet = { log: { access: 'none', loglevel: 'none' } }
const programs: readonly Program[] = hasV2ray ? ['ours', 'v2ray'] : ['ours']
const block = Buffer.alloc(64 * 1024, 7)
/** Below what a sub-stream may leave unread. */
const small = limits.muxUnreadPerStream - block.length

/** Sends so many bytes to whoever connects, and keeps the connection. */
async function startSource(most: number): Promise<{ port: number; close(): void }> {
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    let left = most
    const send = (): void => {
      while (!socket.destroyed && left > 0) {
        left -= block.length
        if (!socket.write(block)) return
      }
    }
    socket.on('drain', send).on('error', () => {})
    send()
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as { port: number }
  const close = (): void => {
    for (const socket of sockets) socket.destroy()
    server.close()
  }
  return { port, close }
}

interface Targets {
  readonly endless: number
  readonly small: number
}

/** A server and a client of it in this process, whose eight streams share one carrier. */
async function withClient<T>(program: Program, body: (open: Open) => Promise<T>): Promise<T> {
  const [port] = (await freePorts(1)) as [number]
  const server = await startPeer(program, serverConfig({ port }, quiet), { ports: [port], name: 'server' })
  return withPeers([server], async () => {
    const client = createClient({
      protocol: 'vmess',
      settings: { vnext: [{ address: '127.0.0.1', port, users: [{ id: testId, security: 'aes-128-gcm' }] }] },
      mux: { enabled: true, concurrency: streams + 1 },
    })
    const opened: DuplexSocket[] = []
    try {
      return await body(async (to) => {
        const stream = await client.connect({ host: '127.0.0.1', port: to })
        opened.push(stream.on('error', () => {}))
        return stream
      })
    } finally {
      for (const stream of opened) stream.destroy()
      await client.close()
    }
  })
}

type Open = (port: number) => Promise<DuplexSocket>

/** Seven that are read, and how many bytes have come on them. */
async function readers(open: Open, port: number): Promise<() => number> {
  let bytes = 0
  for (let i = 0; i < streams; i++) {
    const stream = await open(port)
    stream.on('data', (chunk: Buffer) => {
      bytes += chunk.length
    })
  }
  return () => bytes
}

async function speed(bytes: () => number): Promise<number> {
  await sleep(500)
  const [from, startedAt] = [bytes(), performance.now()]
  await sleep(Number(values.seconds) * 1_000)
  return ((bytes() - from) * 1_000) / (performance.now() - startedAt)
}

/** Before, beside it, and when it is gone again: a busy machine is not the same for long. */
async function below(open: Open, to: Targets) {
  const bytes = await readers(open, to.endless)
  const before = await speed(bytes)
  const unread = await open(to.small)
  const beside = await speed(bytes)
  unread.destroy()
  const without = (before + (await speed(bytes))) / 2
  return { without, ratio: beside / without }
}

/** Megabytes that are held meanwhile, and for how long the others get nothing. */
async function endless(open: Open, to: Targets) {
  const bytes = await readers(open, to.endless)
  await speed(bytes)
  const before = process.memoryUsage().rss
  const unread = await open(to.endless)
  let [held, last, lastAt, longest] = [0, bytes(), performance.now(), 0]
  const ended = new Promise<string>((resolve) => unread.on('error', ({ message }) => resolve(message)))
  let why: string | undefined
  void ended.then((message) => {
    why = message
  })
  for (const deadline = performance.now() + 3 * limits.muxStallMs; performance.now() < deadline; await sleep(20)) {
    held = Math.max(held, process.memoryUsage().rss - before)
    const [now, at] = [bytes(), performance.now()]
    if (now > last) [last, lastAt] = [now, at]
    longest = Math.max(longest, at - lastAt)
    if (why !== undefined && now === last) break
  }
  return { heldMb: held / 1e6, longestS: longest / 1_000, why, after: await speed(bytes) }
}

async function main(): Promise<void> {
  const [all, few] = [await startSource(Number.POSITIVE_INFINITY), await startSource(small)]
  const to = { endless: all.port, small: few.port }
  const rounds = Array.from({ length: Number(values.rounds) })
  try {
    for (const program of programs) {
      const found: Awaited<ReturnType<typeof below>>[] = []
      for (const _ of rounds) found.push(await withClient(program, (open) => below(open, to)))
      const ratio = median(found.map((one) => one.ratio))
      const without = median(found.map((one) => one.without))
      console.log(
        `from ${program}: seven at ${mb(without)} MB/s without, ${(ratio * 100).toFixed(0)} % of it beside an unread one of ${small} bytes`,
      )
      const { heldMb, longestS, why, after } = await withClient(program, (open) => endless(open, to))
      console.log(
        `      beside an endless unread one: nothing for ${longestS.toFixed(1)} s, memory grew by ${heldMb.toFixed(1)} MB; then ${mb(after)} MB/s (${why ?? 'it was not ended'})`,
      )
    }
  } finally {
    all.close()
    few.close()
  }
}

const mb = (bytes: number) => (bytes / 1e6).toFixed(0)

if (values.help) console.log('node bench/load.mjs unread-mux [--rounds 3] [--seconds 2]')
else await main()
