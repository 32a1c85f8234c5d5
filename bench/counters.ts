import { type Pair, withPair } from '../test/interop/pair.ts'
import { carry, directions, runIperf, warmUpBytes } from './bulk.ts'
import { type Door, quiet, withIperfServer } from './peers.ts'

export interface CounterSample {
  readonly counters: 'on' | 'off'
  readonly direction: 'up' | 'down'
  /** CPU seconds of the client process per gigabyte carried; the server's likewise. */
  readonly clientSPerGb: number
  readonly serverSPerGb: number
}

const off = {
  ...quiet,
  policy: {
    levels: { '0': { statsUserUplink: false, statsUserDownlink: false, statsUserOnline: false } },
    system: {
      statsInboundUplink: false,
      statsInboundDownlink: false,
      statsOutboundUplink: false,
      statsOutboundDownlink: false,
    },
  },
}

/**
 * What counting costs: our pair as it is, and one with every counter switched off, in turns. Both are fresh in every round,
 * because two processes of one program differ by more than what is looked for.
 */
export function measureCounters(
  security: string,
  rounds: number,
  bytes: number,
  progress: (text: string) => void,
): Promise<CounterSample[]> {
  return withIperfServer(async (port) => {
    const samples: CounterSample[] = []
    for (let round = 1; round <= rounds; round++) {
      progress(`counters, round ${round} of ${rounds}`)
      await withOurs(security, port, quiet, (counting) =>
        withOurs(security, port, off, async (bare) => {
          const doors = [
            ['on', { ...counting, program: 'ours' }],
            ['off', { ...bare, program: 'ours' }],
          ] as const satisfies readonly (readonly [string, Door])[]
          for (const [, door] of doors) for (const direction of directions) await runIperf(door, direction, warmUpBytes)
          for (const direction of directions) {
            // Whoever goes second finds a warmer machine: take turns at that too.
            for (const [counters, door] of round % 2 === 0 ? doors.toReversed() : doors) {
              samples.push({ counters, direction, ...(await carry(door, direction, bytes)) })
            }
          }
        }),
      )
    }
    return samples
  })
}

const withOurs = <T>(security: string, port: number, extra: object, body: (pair: Pair) => Promise<T>): Promise<T> =>
  withPair(
    {
      client: 'ours',
      server: 'ours',
      security,
      clientExtra: { ...extra },
      serverExtra: { ...extra },
      fixedTo: { host: '127.0.0.1', port },
    },
    body,
  )
