/** What one connection costs: to open, to keep, and to send a little through. */

import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { churn } from '../test/interop/churn.ts'
import { type EchoServer, startEchoServer } from '../test/interop/echo-server.ts'
import type { Program } from '../test/interop/harness.ts'
import { Wire } from '../test/interop/wire.ts'
import { cpuSeconds, percentile, residentKb, untilQuiet } from './figures.ts'
import { type Door, programs, withDoors } from './peers.ts'

export interface ConnSample {
  readonly program: Program
  readonly perSecond: number
  readonly clientMicros: number
  readonly serverMicros: number
  readonly refused: number
  readonly stalled: number
}

export interface RttSample {
  readonly program: Program
  readonly p50Micros: number
  readonly p99Micros: number
}

export interface IdleSample {
  readonly program: Program
  readonly clientStartKb: number
  readonly serverStartKb: number
  readonly clientKbEach: number
  readonly serverKbEach: number
}

type Progress = (text: string) => void

/** New connections, 16 at a time, 100 bytes echoed on each. */
export function measureConnections(security: string, rounds: number, progress: Progress): Promise<ConnSample[]> {
  return overEcho(security, async (doors) => {
    const samples: ConnSample[] = []
    for (const { doorPort } of doors) await churn({ port: doorPort, count: 500, ...opening })
    for (let round = 1; round <= rounds; round++) {
      for (const door of doors) {
        progress(`connections, round ${round} of ${rounds}, ${door.program}`)
        samples.push(await openMany(door, 3_000))
      }
    }
    return samples
  })
}

const opening = { concurrency: 16, bytes: 100, stallMs: 5_000 }

async function openMany(door: Door, count: number): Promise<ConnSample> {
  const pids = [door.client.pid, door.server.pid] as const
  await untilQuiet(pids)
  const before = pids.map(cpuSeconds)
  const { completed, refused, stalled, ms } = await churn({ port: door.doorPort, count, ...opening })
  await untilQuiet(pids)
  const [clientMicros, serverMicros] = pids.map((pid, i) => ((cpuSeconds(pid) - before[i]!) / count) * 1e6)
  return {
    program: door.program,
    perSecond: completed / (ms / 1000),
    clientMicros: clientMicros!,
    serverMicros: serverMicros!,
    refused,
    stalled,
  }
}

/** 64 bytes there and back on one open connection. */
export function measureRoundTrip(security: string, rounds: number, progress: Progress): Promise<RttSample[]> {
  return overEcho(security, async (doors) => {
    const samples: RttSample[] = []
    for (const { doorPort } of doors) await roundTrips(doorPort, 1_000)
    for (let round = 1; round <= rounds; round++) {
      for (const { program, doorPort } of doors) {
        progress(`round trip, round ${round} of ${rounds}, ${program}`)
        const times = await roundTrips(doorPort, 3_000)
        samples.push({ program, p50Micros: percentile(times, 50), p99Micros: percentile(times, 99) })
      }
    }
    return samples
  })
}

async function roundTrips(port: number, count: number): Promise<number[]> {
  const wire = await openWire(port)
  const times: number[] = []
  const bytes = Buffer.alloc(64, 'ping')
  try {
    for (let i = 0; i < count; i++) {
      const startedAt = performance.now()
      await wire.write(bytes)
      await wire.read(bytes.length)
      times.push((performance.now() - startedAt) * 1000)
    }
    return times
  } finally {
    wire.destroy()
  }
}

/** Resident memory of fresh processes: at start, and what each of 1,000 idle connections adds. */
export async function measureIdle(security: string, rounds: number, progress: Progress): Promise<IdleSample[]> {
  const samples: IdleSample[] = []
  for (let round = 1; round <= rounds; round++) {
    for (const program of programs) {
      progress(`idle connections, round ${round} of ${rounds}, ${program}`)
      samples.push(await overEcho(security, ([door]) => idle(door!), [program]))
    }
  }
  return samples
}

const idleConnections = 1_000

async function idle(door: Door): Promise<IdleSample> {
  const pids = [door.client.pid, door.server.pid] as const
  await untilQuiet(pids)
  const [clientStartKb, serverStartKb] = pids.map(residentKb) as [number, number]
  const wires: Wire[] = []
  try {
    // The first connections load code and grow pools that no later one needs again.
    await keepOpen(door.doorPort, 100, wires)
    await untilQuiet(pids)
    const before = pids.map(residentKb)
    await keepOpen(door.doorPort, idleConnections, wires)
    await untilQuiet(pids)
    await sleep(500)
    const [clientKbEach, serverKbEach] = pids.map((pid, i) => (residentKb(pid) - before[i]!) / idleConnections)
    return {
      program: door.program,
      clientStartKb,
      serverStartKb,
      clientKbEach: clientKbEach!,
      serverKbEach: serverKbEach!,
    }
  } finally {
    for (const wire of wires) wire.destroy()
  }
}

async function keepOpen(port: number, count: number, wires: Wire[]): Promise<void> {
  let missing = count
  const worker = async () => {
    while (missing > 0) {
      missing--
      const wire = await openWire(port, 5_000)
      try {
        await wire.write('x')
        await wire.read(1)
        wire.socket.setTimeout(0)
        wires.push(wire)
      } catch {
        // V2Ray's replay filter refuses an honest connection now and then: another takes its place.
        wire.destroy()
        missing++
      }
    }
  }
  await Promise.all(Array.from({ length: 10 }, worker))
}

async function openWire(port: number, stallMs = 15_000): Promise<Wire> {
  const wire = new Wire(connect({ host: '127.0.0.1', port }), 'bench', stallMs)
  await wire.connected()
  return wire
}

async function overEcho<T>(
  security: string,
  body: (doors: readonly Door[]) => Promise<T>,
  which = programs,
): Promise<T> {
  const echo: EchoServer = await startEchoServer()
  try {
    return await withDoors(which, security, echo.port, body)
  } finally {
    await echo.close()
  }
}
