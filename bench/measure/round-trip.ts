import { startEchoServer } from '../../test/interop/rig/echo-server.ts'
import { percentile } from '../figures.ts'
import { doorsInTurns } from '../turns.ts'
import type { Measurement } from './measurement.ts'
import { openWire } from './wires.ts'

const trips = 3_000
const percents = [50, 99] as const
const panel = '64 bytes there and back: µs'

export const roundTrip: Measurement = {
  name: 'rtt',
  title: 'Round trip',
  how: ({ warmUp }) =>
    `64 bytes there and back through client and server on one open connection, ${trips} times a round, after ${warmUp} that do not count. ` +
    `Cold: the first ${trips} of fresh processes.`,
  async run(plan, results) {
    const echo = await startEchoServer()
    try {
      await doorsInTurns(plan, { what: 'round trip', rows: '' }, { security: plan.securities[0]! }, echo, {
        warmUp: async ({ program, doorPort }) => {
          const times = await roundTrips(doorPort, trips)
          for (const percent of percents) {
            results.add(program, { name: `cold: p${percent} µs`, digits: 0 }, percentile(times, percent))
          }
          await roundTrips(doorPort, plan.warmUp)
        },
        turn: async ({ program, doorPort }) => {
          const times = await roundTrips(doorPort, trips)
          for (const percent of percents) {
            const bar = { panel, at: `p${percent}` }
            results.add(program, { name: `p${percent} µs`, digits: 0, bar }, percentile(times, percent))
          }
        },
      })
    } finally {
      await echo.close()
    }
  },
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
