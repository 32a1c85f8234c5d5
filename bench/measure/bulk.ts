import type { Door } from '../programs/pair.ts'
import type { Results } from '../results.ts'
import { doorsInTurns, type Plan } from '../turns.ts'
import { type Carried, carry, directions, runIperf, withIperfServer } from './iperf.ts'
import type { Measurement } from './measurement.ts'

/** As much each way beforehand as is measured, but no more than this. */
const warmUpBytes = 300_000_000

export const bulk: Measurement = {
  name: 'bulk',
  title: 'Bulk, one connection',
  how: ({ bytes }) =>
    `One iperf3 connection carries ${bytes / 1e6} MB up, then as much down, over plain TCP; ${Math.min(warmUpBytes, bytes) / 1e6} MB each way ` +
    'beforehand do not count. A GB is 10^9 bytes. V2Ray 4 has no `zero`: there it stands with `none`.',
  async run(plan, results) {
    for (const security of plan.securities) {
      await withIperfServer((port) =>
        doorsInTurns(
          plan,
          { what: `bulk ${security}`, rows: security },
          { security },
          { port },
          {
            warmUp: async (door) => {
              for (const direction of directions) await runIperf(door, direction, Math.min(warmUpBytes, plan.bytes))
            },
            turn: (door) => turn(plan, results, security, door),
          },
        ),
      )
    }
  },
}

async function turn(plan: Plan, results: Results, security: string, door: Door): Promise<void> {
  const carried: Carried[] = []
  for (const direction of directions) {
    const one = await carry(door, direction, plan.bytes)
    const name = `${security} ${direction}`
    results.add(door.program, { name: `${name}: MB/s`, digits: 0, better: 'more' }, one.megabytesPerS)
    results.add(door.program, { name: `${name}: client CPU s/GB`, digits: 3 }, one.client)
    results.add(door.program, { name: `${name}: server CPU s/GB`, digits: 3 }, one.server)
    carried.push(one)
  }
  const bar = { panel: 'Bulk: CPU s/GB, mean of both ends and directions', at: security }
  results.add(door.program, { name: `${security}: mean CPU s/GB`, digits: 3, bar }, meanCost(carried))
}

/** Of both processes. */
export const meanCost = (all: readonly Pick<Carried, 'client' | 'server'>[]): number =>
  all.reduce((sum, { client, server }) => sum + client + server, 0) / (2 * all.length)
