import { startEchoServer } from '../../test/interop/rig/echo-server.ts'
import { percentile } from '../figures.ts'
import type { Program } from '../programs/program.ts'
import type { Results } from '../results.ts'
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
          note(results, program, await roundTrips(doorPort, trips), 'cold: ')
          await roundTrips(doorPort, plan.warmUp)
        },
        turn: async ({ program, doorPort }) => note(results, program, await roundTrips(doorPort, trips)),
      })
    } finally {
      await echo.close()
    }
  },
}

/** Only warm ones are in the picture. */
function note(results: Results, program: Program, times: readonly number[], cold: '' | 'cold: ' = ''): void {
  for (const percent of percents) {
    const at = `p${percent}`
    const figure = { name: `${cold}${at} µs`, digits: 0, ...(cold === '' && { bar: { panel, at } }) }
    results.add(program, figure, percentile(times, percent))
  }
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
