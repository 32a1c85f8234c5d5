/** What a datagram costs, there and back: to each program, and by each way to carry it. */

import { createSocket, type Socket } from 'node:dgram'
import { once } from 'node:events'
import { udpEcho } from '../../test/support/udp.ts'
import { cpuOf, percentile } from '../figures.ts'
import { type Door, pidsOf } from '../programs/pair.ts'
import { usualWay } from '../programs/program.ts'
import type { Results } from '../results.ts'
import { doorsInTurns } from '../turns.ts'
import type { Measurement } from './measurement.ts'

const counted = 20_000
const underWay = 32
const trips = 2_000
const sizes = [200, 1_200]
/** A way through which nothing more comes is given up. */
const mostQuietSeconds = 10

export const udp: Measurement = {
  name: 'udp',
  title: 'Datagrams, there and back',
  how: () =>
    `${counted} datagrams from one socket, ${underWay} under way at a time, echoed behind the server; then ${trips} one at a time. By command 2 ` +
    '(a session for each destination, the one way that V2Ray has) and by XUDP.',
  async run(plan, results) {
    const echo = await udpEcho()
    try {
      for (const packets of ['command 2', 'XUDP'] as const) {
        const security = plan.securities[0]!
        const having = plan.programs.filter((program) => program.has({ ...usualWay, packets }))
        await doorsInTurns(
          { ...plan, programs: having },
          { what: `datagrams by ${packets}`, rows: packets },
          { security, packets },
          { port: echo.port, network: 'udp' },
          {
            warmUp: async ({ doorPort }) => {
              await untilEchoed(doorPort)
              await echoes(doorPort, sizes[0]!, counted, underWay)
            },
            turn: async (door) => {
              for (const bytes of sizes) await many(results, door, `${packets}, ${bytes} bytes`, bytes)
            },
          },
        )
      }
    } finally {
      echo.close()
    }
  },
}

async function many(results: Results, door: Door, name: string, bytes: number): Promise<void> {
  const { program, doorPort } = door
  const { result, client, server } = await cpuOf(pidsOf(door), () => echoes(doorPort, bytes, counted, underWay))
  const { came, lost, ms } = result
  if (came < counted / 2) throw new Error(`of ${counted} datagrams of ${bytes} bytes, ${came} came back`)
  const perMillion = (seconds: number) => (seconds / came) * 1e6
  const bar = { panel: 'Datagrams: CPU s/million, mean of both ends', at: name }
  results.add(program, { name: `${name}: client CPU s/million`, digits: 2 }, perMillion(client))
  results.add(program, { name: `${name}: server CPU s/million`, digits: 2 }, perMillion(server))
  results.add(program, { name: `${name}: mean CPU s/million`, digits: 2, bar }, perMillion((client + server) / 2))
  results.add(program, { name: `${name}: per second`, digits: 0, better: 'more' }, (came / ms) * 1_000)
  const { times } = await echoes(doorPort, bytes, trips, 1)
  results.add(program, { name: `${name}: p50 µs`, digits: 0 }, percentile(times, 50))
  results.add(program, { name: `${name}: p99 µs`, digits: 0 }, percentile(times, 99))
  results.add(program, { name: `${name}: lost`, digits: 0, of: 'sum' }, lost)
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
  let [before, quietSeconds] = [-1, 0]
  quiet = setInterval(() => {
    quietSeconds = came === before ? quietSeconds + 1 : 0
    if (came === before) {
      lost += sent - came - lost
      if (sent === count || quietSeconds === mostQuietSeconds) return finish()
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

async function untilEchoed(port: number): Promise<void> {
  const deadline = performance.now() + 10_000
  while (performance.now() < deadline) {
    const { came } = await echoes(port, 1, 1, 1)
    if (came > 0) return
  }
  throw new Error(`nothing comes back from UDP port ${port}`)
}
