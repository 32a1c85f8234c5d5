/** What a datagram costs, there and back: to each program, and by each way to carry it. */

import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import type { Program } from '../test/interop/harness.ts'
import { withPair } from '../test/interop/pair.ts'
import { udpEcho } from '../test/support/udp.ts'
import { cpuSeconds, percentile, untilQuiet } from './figures.ts'
import { type Door, programs, quiet } from './peers.ts'

export interface DatagramSample {
  readonly program: Program
  /** `command 2`, the one way that V2Ray has, or `XUDP`. */
  readonly way: string
  readonly bytes: number
  /** CPU seconds of the client process per million datagrams that came back; the server's likewise. */
  readonly clientSPerMillion: number
  readonly serverSPerMillion: number
  readonly perSecond: number
  readonly lost: number
  /** One at a time. */
  readonly p50Micros: number
  readonly p99Micros: number
}

const ways = [
  { way: 'command 2', program: 'ours', outboundExtra: { packetEncoding: 'none' } },
  { way: 'XUDP', program: 'ours', outboundExtra: { packetEncoding: 'xudp' } },
  { way: 'command 2', program: 'v2ray', outboundExtra: {} },
] as const

interface WayDoor extends Door {
  readonly way: string
}

/** Datagrams of 200 and 1,200 bytes from one socket, some under way at a time, echoed behind the server. */
export async function measureDatagrams(
  security: string,
  rounds: number,
  progress: (text: string) => void,
): Promise<DatagramSample[]> {
  const echo = await udpEcho()
  const samples: DatagramSample[] = []
  try {
    await withWays(security, echo.port, async (doors) => {
      for (const door of doors) await echoes(door.doorPort, 200, 20_000, underWay)
      for (let round = 1; round <= rounds; round++) {
        for (const bytes of [200, 1_200]) {
          for (const door of doors) {
            progress(`datagrams, round ${round} of ${rounds}, ${door.program} by ${door.way}`)
            samples.push(await many(door, bytes, 40_000))
          }
        }
      }
    })
  } finally {
    echo.close()
  }
  return samples
}

const underWay = 32

async function many(door: WayDoor, bytes: number, count: number): Promise<DatagramSample> {
  const { program, way, doorPort } = door
  const pids = [door.client.pid, door.server.pid] as const
  await untilQuiet(pids)
  const before = pids.map(cpuSeconds)
  const { came, lost, ms } = await echoes(doorPort, bytes, count, underWay)
  await untilQuiet(pids)
  const [clientSPerMillion, serverSPerMillion] = pids.map((pid, i) => ((cpuSeconds(pid) - before[i]!) / came) * 1e6)
  const { times } = await echoes(doorPort, bytes, 2_000, 1)
  return {
    program,
    way,
    bytes,
    clientSPerMillion: clientSPerMillion!,
    serverSPerMillion: serverSPerMillion!,
    perSecond: (came / ms) * 1000,
    lost,
    p50Micros: percentile(times, 50),
    p99Micros: percentile(times, 99),
  }
}

interface Echoes {
  readonly came: number
  readonly lost: number
  readonly ms: number
  /** There and back, µs, where one is under way at a time. */
  readonly times: readonly number[]
}

/** Sends as many, and the next one for each that comes back; what has not come within a second is lost. */
async function echoes(port: number, bytes: number, count: number, atOnce: number): Promise<Echoes> {
  const socket = createSocket({ type: 'udp4', recvBufferSize: 1 << 21 })
  // Nobody listens there yet.
  socket.on('error', () => {})
  socket.connect(port, '127.0.0.1')
  await once(socket, 'connect')
  try {
    return await new Promise((resolve) => exchange(socket, Buffer.alloc(bytes, 'x'), count, atOnce, resolve))
  } finally {
    socket.close()
  }
}

function exchange(
  socket: Socket,
  payload: Buffer,
  count: number,
  atOnce: number,
  done: (echoes: Echoes) => void,
): void {
  const startedAt = performance.now()
  const times: number[] = []
  let [sent, came, lost, sentAt] = [0, 0, 0, 0]
  let quiet: NodeJS.Timeout
  const send = () => {
    if (sent === count) return
    sent++
    sentAt = performance.now()
    socket.send(payload)
  }
  const finish = () => {
    clearInterval(quiet)
    done({ came, lost, times, ms: performance.now() - startedAt })
  }
  let before = -1
  quiet = setInterval(() => {
    if (came === before) {
      lost += sent - came - lost
      if (sent === count) return finish()
      for (let i = 0; i < atOnce; i++) send()
    }
    before = came
  }, 1_000)
  socket.on('message', () => {
    came++
    if (atOnce === 1) times.push((performance.now() - sentAt) * 1000)
    if (came + lost >= count) return finish()
    send()
    // A session is opened by the first one, and only some few wait for it.
    if (came === 1) for (let i = 1; i < atOnce; i++) send()
  })
  send()
}

async function withWays(
  security: string,
  targetPort: number,
  body: (doors: readonly WayDoor[]) => Promise<void>,
): Promise<void> {
  const fixedTo = { host: '127.0.0.1', port: targetPort, network: 'udp' } as const
  const open = async (left: readonly (typeof ways)[number][], opened: readonly WayDoor[]): Promise<void> => {
    const [next, ...rest] = left
    if (!next) return body(opened)
    const { program, way, outboundExtra } = next
    const pair = { client: program, server: program, security, outboundExtra, clientExtra: quiet, serverExtra: quiet }
    // Whether a UDP port listens cannot be asked by TCP: the client has said so, or is given a moment.
    await withPair({ ...pair, fixedTo, clientStart: { ports: [] } }, async (running) => {
      await untilEchoed(running.doorPort)
      await open(rest, [...opened, { ...running, program, way }])
    })
  }
  await open(
    ways.filter(({ program }) => programs.includes(program)),
    [],
  )
}

async function untilEchoed(port: number): Promise<void> {
  const deadline = performance.now() + 10_000
  while (performance.now() < deadline) {
    const { came } = await echoes(port, 1, 1, 1)
    if (came > 0) return
  }
  throw new Error(`nothing comes back from UDP port ${port}`)
}
