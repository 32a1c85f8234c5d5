import { churn } from '../../test/interop/rig/churn.ts'
import { startEchoServer } from '../../test/interop/rig/echo-server.ts'
import { cpuOf } from '../figures.ts'
import { type Door, pidsOf, withPair } from '../programs/pair.ts'
import type { Results } from '../results.ts'
import { doorsInTurns, inTurns } from '../turns.ts'
import type { Measurement } from './measurement.ts'

const opening = { concurrency: 16, bytes: 100, stallMs: 5_000 }
const counted = 3_000
/** While the others have their turns a program is quiet, and Node's V8 throws code away then. */
const again = 2_000
const cold = 1_000
const panel = 'New connection: CPU µs, mean of both ends'

export const connections: Measurement = {
  name: 'conn',
  title: 'New connections',
  how: ({ warmUp }) =>
    `${counted} connections a round, ${opening.concurrency} at a time, ${opening.bytes} bytes echoed on each, after ${warmUp} connections that do not ` +
    `count, and ${again} more right before each round; CPU is read once both processes have come to rest. Cold: the first ${cold} connections of fresh processes. ` +
    'Refused: ended before the echo; stalled: no echo after 5 s; both over all rounds.',
  async run(plan, results) {
    const security = plan.securities[0]!
    const echo = await startEchoServer()
    try {
      await doorsInTurns(plan, { what: 'new connections', rows: '' }, { security }, echo, {
        warmUp: (door) => churn({ port: door.doorPort, count: plan.warmUp, ...opening }),
        turn: async (door) => warm(results, door),
      })
      await inTurns(
        plan,
        { what: 'cold connections', rows: 'cold' },
        plan.programs,
        (program) => program,
        (program) => withPair(program, { security }, echo, (door) => first(results, door)),
      )
    } finally {
      await echo.close()
    }
  },
}

async function warm(results: Results, door: Door): Promise<void> {
  const { program } = door
  await openMany(door, again)
  const { result, client, server } = await openMany(door, counted)
  const perSecond = result.completed / (result.ms / 1000)
  results.add(program, { name: 'client CPU µs', digits: 0 }, client)
  results.add(program, { name: 'server CPU µs', digits: 0 }, server)
  results.add(program, { name: 'mean CPU µs', digits: 0, bar: { panel, at: 'warm' } }, (client + server) / 2)
  results.add(program, { name: 'per second', digits: 0, better: 'more' }, perSecond)
  results.add(program, { name: 'refused', digits: 0, of: 'sum' }, result.refused)
  results.add(program, { name: 'stalled', digits: 0, of: 'sum' }, result.stalled)
}

async function first(results: Results, door: Door): Promise<void> {
  const { client, server } = await openMany(door, cold)
  results.add(door.program, { name: 'cold: client CPU µs', digits: 0 }, client)
  results.add(door.program, { name: 'cold: server CPU µs', digits: 0 }, server)
  results.add(door.program, { name: 'cold: mean CPU µs', digits: 0, bar: { panel, at: 'cold' } }, (client + server) / 2)
}

/** CPU µs of each process per connection. */
export async function openMany(door: Door, count: number) {
  const { result, client, server } = await cpuOf(pidsOf(door), () => churn({ port: door.doorPort, count, ...opening }))
  return { result, client: (client / count) * 1e6, server: (server / count) * 1e6 }
}
