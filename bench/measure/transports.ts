import { startEchoServer } from '../../test/interop/rig/echo-server.ts'
import { type Transport, usualWay, type Way, wayName } from '../programs/program.ts'
import type { Figure, Results } from '../results.ts'
import { doorsInTurns, type Plan } from '../turns.ts'
import { meanCost } from './bulk.ts'
import { openMany } from './connections.ts'
import { type Carried, carry, directions, warmIperf, withIperfServer } from './iperf.ts'
import type { Measurement } from './measurement.ts'

const both: readonly boolean[] = [false, true]
/** Each with and without TLS, where that is how it is used. */
const ways: readonly Pick<Way, 'transport' | 'tls'>[] = [
  ...(['tcp', 'ws', 'httpupgrade', 'grpc', 'xhttp'] as const).flatMap((transport: Transport) =>
    both.map((tls) => ({ transport, tls })),
  ),
  { transport: 'h2', tls: true },
  { transport: 'mkcp', tls: false },
]

/** In the picture; the others are in the table only. */
const drawn = ['tcp', 'tcp+tls', 'ws+tls', 'grpc+tls', 'h2+tls', 'mkcp']

export const transportNames: readonly string[] = ways.map(wayName)

const counted = 1_000
const uncounted = 1_000
/** mKCP paces itself. */
const mostOver: Partial<Record<Transport, number>> = { mkcp: 20_000_000 }

export const transports: Measurement = {
  name: 'transports',
  title: 'Transports',
  rounds: ({ transportRounds }) => transportRounds,
  how: ({ transportBytes }) =>
    `Each transport with \`aes-128-gcm\`: one iperf3 connection carries ${transportBytes / 1e6} MB up and as much down (mKCP at most ` +
    `${mostOver.mkcp! / 1e6}), then ${counted} new connections, after ${uncounted} that do not count. Figures are means of both processes and, in bulk, ` +
    'both directions. TLS 1.3, with the test certificate (ECDSA P-256).',
  async run(plan, results) {
    for (const way of ways) {
      if (plan.transports.includes(wayName(way))) await measureWay(plan, results, way)
    }
  },
}

/** Bulk first, then connections: each through processes of its own, whose door leads to its target. */
async function measureWay(plan: Plan, results: Results, way: Pick<Way, 'transport' | 'tls'>): Promise<void> {
  const name = wayName(way)
  const having = { ...plan, programs: plan.programs.filter((program) => program.has({ ...usualWay, ...way })) }
  const bytes = Math.min(plan.transportBytes, mostOver[way.transport] ?? Number.POSITIVE_INFINITY)
  await withIperfServer((iperf) =>
    doorsInTurns(having, { what: `${name}, bulk`, rows: name }, way, iperf, {
      warmUp: (door) => warmIperf(iperf, door, bytes, bytes),
      turn: async (door) => {
        const carried: Carried[] = []
        for (const direction of directions) carried.push(await carry(iperf, door, direction, bytes))
        const bar = barOf('Transports: bulk, CPU s/GB', name)
        results.add(door.program, { name: `${name}: CPU s/GB`, digits: 3, ...bar }, meanCost(carried))
      },
    }),
  )
  const echo = await startEchoServer()
  try {
    await doorsInTurns(having, { what: `${name}, new connections`, rows: name }, way, echo, {
      warmUp: (door) => openMany(door, uncounted),
      turn: async (door) => {
        const { result, client, server } = await openMany(door, counted)
        const bar = barOf('Transports: new connection, CPU µs', name)
        results.add(door.program, { name: `${name}: CPU µs/connection`, digits: 0, ...bar }, (client + server) / 2)
        const failed = result.refused + result.stalled
        results.add(door.program, { name: `${name}: refused or stalled`, digits: 0, of: 'sum' }, failed)
      },
    })
  } finally {
    await echo.close()
  }
}

const barOf = (panel: string, at: string): Pick<Figure, 'bar'> => (drawn.includes(at) ? { bar: { panel, at } } : {})
