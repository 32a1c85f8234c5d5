import { setTimeout as sleep } from 'node:timers/promises'
import { startEchoServer } from '../../test/interop/rig/echo-server.ts'
import type { Wire } from '../../test/interop/rig/wire.ts'
import { residentKb, untilQuiet } from '../figures.ts'
import { type Door, pidsOf, withPair } from '../programs/pair.ts'
import { inTurns } from '../turns.ts'
import type { Measurement } from './measurement.ts'
import { openWire } from './wires.ts'

const counted = 1_000
const uncounted = 100

export const idle: Measurement = {
  name: 'idle',
  title: 'Idle connections',
  how: () =>
    `What each of ${counted} open connections adds to the resident memory, after ${uncounted} that do not count; fresh processes in every round.`,
  async run(plan, results) {
    const echo = await startEchoServer()
    try {
      await inTurns(
        plan,
        { what: 'idle connections', rows: '' },
        plan.programs,
        (program) => program,
        async (program) => {
          const [client, server] = await withPair(program, { security: plan.securities[0]! }, echo, kbEach)
          const bar = { panel: 'Idle connection: KB, mean of both ends', at: '' }
          results.add(program, { name: 'client KB', digits: 1 }, client)
          results.add(program, { name: 'server KB', digits: 1 }, server)
          results.add(program, { name: 'mean KB', digits: 1, bar }, (client + server) / 2)
        },
      )
    } finally {
      await echo.close()
    }
  },
}

async function kbEach(door: Door): Promise<readonly [number, number]> {
  const pids = pidsOf(door)
  const wires: Wire[] = []
  try {
    // The first connections load code and grow pools that no later one needs again.
    await keepOpen(door.doorPort, uncounted, wires)
    await untilQuiet(pids)
    const before = pids.map(residentKb)
    await keepOpen(door.doorPort, counted, wires)
    await untilQuiet(pids)
    await sleep(500)
    return pids.map((pid, i) => (residentKb(pid) - before[i]!) / counted) as [number, number]
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
