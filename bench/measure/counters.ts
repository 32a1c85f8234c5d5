import { type Door, withPair } from '../programs/pair.ts'
import type { Program } from '../programs/program.ts'
import { inTurns } from '../turns.ts'
import { carry, directions, runIperf, withIperfServer } from './iperf.ts'
import type { Measurement } from './measurement.ts'

const warmUpBytes = 300_000_000

/** Every counter of our own switched off. */
const off = {
  levels: { '0': { statsUserUplink: false, statsUserDownlink: false, statsUserOnline: false } },
  system: {
    statsInboundUplink: false,
    statsInboundDownlink: false,
    statsOutboundUplink: false,
    statsOutboundDownlink: false,
  },
}

/** Processes are fresh in every round, because two of one program differ by more than what is looked for. */
export const counters: Measurement = {
  name: 'counters',
  title: 'What counting costs',
  how: ({ bytes }) =>
    `Our own program as it is, and with every counter switched off: ${bytes / 1e6} MB up and as much down, CPU s/GB of both processes and both directions ` +
    'together; fresh processes in every round.',
  onRequest: true,
  async run(plan, results) {
    const ours = plan.programs.filter(({ own }) => own)
    const cases = ours.flatMap((program) => [program, uncounted(program)])
    await withIperfServer((port) =>
      inTurns(
        plan,
        { what: 'counters', rows: '' },
        cases,
        (program) => program,
        (program) =>
          withPair(program, { security: plan.securities[0]! }, { port }, async (door) => {
            for (const direction of directions) await runIperf(door, direction, warmUpBytes)
            results.add(program, { name: 'all together CPU s/GB', digits: 3 }, await allTogether(door, plan.bytes))
          }),
      ),
    )
  },
}

async function allTogether(door: Door, bytes: number): Promise<number> {
  let sum = 0
  for (const direction of directions) {
    const { client, server } = await carry(door, direction, bytes)
    sum += client + server
  }
  return sum
}

const uncounted = (program: Program): Program => ({
  ...program,
  name: `${program.name} uncounted`,
  config: (role, link) => ({ ...program.config(role, link), policy: off }),
})
