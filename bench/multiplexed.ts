/** What a short request costs through Mux.Cool, beside the same on a connection of its own. */

import { churn } from '../test/interop/churn.ts'
import { startEchoServer } from '../test/interop/echo-server.ts'
import type { Program } from '../test/interop/harness.ts'
import { type Pair, withPair } from '../test/interop/pair.ts'
import { cpuSeconds, untilQuiet } from './figures.ts'
import { programs, quiet } from './peers.ts'

export interface MuxSample {
  readonly program: Program
  readonly mux: boolean
  /** CPU seconds of the client process for 1,000 requests; the server's likewise. */
  readonly clientSPer1000: number
  readonly serverSPer1000: number
  readonly failed: number
}

const requests = 2_000
const plan = { concurrency: 16, bytes: 100, stallMs: 5_000 }

/** Requests of 100 bytes, 16 at a time, with eight to a carrier and without; fresh processes in every round. */
export async function measureMux(
  security: string,
  rounds: number,
  progress: (text: string) => void,
): Promise<MuxSample[]> {
  const echo = await startEchoServer()
  const samples: MuxSample[] = []
  try {
    for (let round = 1; round <= rounds; round++) {
      for (const program of programs) {
        for (const mux of [false, true]) {
          progress(`requests ${mux ? 'through' : 'without'} Mux, round ${round} of ${rounds}, ${program}`)
          const outboundExtra = mux ? { mux: { enabled: true, concurrency: 8 } } : {}
          const fixedTo = { host: '127.0.0.1', port: echo.port }
          const pair = { client: program, server: program, security, clientExtra: quiet, serverExtra: quiet }
          const cost = await withPair({ ...pair, fixedTo, outboundExtra }, requested)
          samples.push({ program, mux, ...cost })
        }
      }
    }
  } finally {
    await echo.close()
  }
  return samples
}

async function requested({ client, server, doorPort }: Pair) {
  const pids = [client.pid, server.pid] as const
  await churn({ port: doorPort, count: 1_000, ...plan })
  await untilQuiet(pids)
  const before = pids.map(cpuSeconds)
  const { completed } = await churn({ port: doorPort, count: requests, ...plan })
  await untilQuiet(pids)
  const [clientSPer1000, serverSPer1000] = pids.map((pid, i) => ((cpuSeconds(pid) - before[i]!) / requests) * 1000)
  return { clientSPer1000: clientSPer1000!, serverSPer1000: serverSPer1000!, failed: requests - completed }
}
