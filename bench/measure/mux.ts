import { churn } from '../../test/interop/rig/churn.ts'
import { startEchoServer } from '../../test/interop/rig/echo-server.ts'
import { cpuOf } from '../figures.ts'
import { type Door, pidsOf, withPair } from '../programs/pair.ts'
import { usualWay } from '../programs/program.ts'
import type { Results } from '../results.ts'
import { inTurns } from '../turns.ts'
import type { Measurement } from './measurement.ts'

const requests = 2_000
const uncounted = 1_000
const streams = 8
const requesting = { concurrency: 16, bytes: 100, stallMs: 5_000 }

/** What a short request costs through Mux.Cool, beside the same on a connection of its own. */
export const mux: Measurement = {
  name: 'mux',
  title: 'Requests through Mux.Cool',
  how: () =>
    `${requests} requests of ${requesting.bytes} bytes, ${requesting.concurrency} at a time, each on a connection of its own or up to ${streams} to a carrier of ` +
    `Mux.Cool; fresh processes in every round, ${uncounted} requests beforehand do not count.`,
  async run(plan, results) {
    const echo = await startEchoServer()
    const cases = plan.programs.flatMap((program) =>
      [undefined, streams].filter((mux) => program.has({ ...usualWay, mux })).map((mux) => ({ program, mux })),
    )
    try {
      await inTurns(
        plan,
        { what: 'requests', rows: '' },
        cases,
        ({ program }) => program,
        ({ program, mux }) =>
          withPair(program, { mux }, echo, (door) => requested(results, door, mux ? 'through' : 'without')),
      )
    } finally {
      await echo.close()
    }
  },
}

async function requested(results: Results, door: Door, word: 'through' | 'without'): Promise<void> {
  await churn({ port: door.doorPort, count: uncounted, ...requesting })
  const { result, client, server } = await cpuOf(pidsOf(door), () =>
    churn({ port: door.doorPort, count: requests, ...requesting }),
  )
  const per1000 = (seconds: number) => (seconds / requests) * 1_000
  const bar = { panel: 'Requests of 100 bytes: CPU s/1,000, mean of both ends', at: `${word} Mux` }
  results.add(door.program, { name: `${word} Mux: client CPU s/1,000`, digits: 3 }, per1000(client))
  results.add(door.program, { name: `${word} Mux: server CPU s/1,000`, digits: 3 }, per1000(server))
  results.add(door.program, { name: `${word} Mux: mean CPU s/1,000`, digits: 3, bar }, per1000((client + server) / 2))
  results.add(door.program, { name: `${word} Mux: failed`, digits: 0, of: 'sum' }, requests - result.completed)
}
