import { churn } from '../../test/interop/rig/churn.ts'
import { startEchoServer } from '../../test/interop/rig/echo-server.ts'
import { residentKb } from '../figures.ts'
import { type Door, withPair } from '../programs/pair.ts'
import type { Results } from '../results.ts'
import { inTurns } from '../turns.ts'
import type { Measurement } from './measurement.ts'

const opening = { concurrency: 32, bytes: 100, stallMs: 10_000 }

/** Ours only: that none is refused or stalls is a promise, and no matter of comparing. */
export const endurance: Measurement = {
  name: 'endurance',
  title: 'Connections in a row',
  how: ({ endurance }) =>
    `${endurance} connections, ${opening.concurrency} at a time, through fresh processes, ${opening.bytes} bytes echoed on each. Stalled: no echo after 10 s. ` +
    'Memory is what the server holds at the end: it remembers every authentication for as long as a replay of it would be accepted.',
  rounds: () => 1,
  async run(plan, results) {
    const echo = await startEchoServer()
    try {
      await inTurns(
        plan,
        { what: 'connections in a row', rows: '' },
        plan.programs.filter(({ own }) => own),
        (program) => program,
        (program) =>
          withPair(program, { security: plan.securities[0]! }, echo, (door) => carried(results, door, plan.endurance)),
      )
    } finally {
      await echo.close()
    }
  },
}

async function carried(results: Results, door: Door, count: number): Promise<void> {
  const result = await churn({ port: door.doorPort, count, ...opening })
  const { program } = door
  results.add(program, { name: 'completed', digits: 0, better: 'more' }, result.completed)
  results.add(program, { name: 'refused', digits: 0, of: 'sum' }, result.refused)
  results.add(program, { name: 'stalled', digits: 0, of: 'sum' }, result.stalled)
  results.add(program, { name: 'server resident MB', digits: 0 }, residentKb(door.server.pid) / 1024)
}
