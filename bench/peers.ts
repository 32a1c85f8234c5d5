/** A client and a server of one program, and a door to a target: what every measurement runs through. */

import { spawn } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { accepts, freePorts, hasV2ray, type Program } from '../test/interop/harness.ts'
import { type Pair, withPair } from '../test/interop/pair.ts'

export const programs: readonly Program[] = hasV2ray ? ['ours', 'v2ray'] : ['ours']

export const quiet = { log: { access: 'none', loglevel: 'none' } }

export interface Door extends Pair {
  readonly program: Program
}

/** Runs `body` with a running pair of each program, all leading to the same local port. */
export async function withDoors<T>(
  which: readonly Program[],
  security: string,
  targetPort: number,
  body: (doors: readonly Door[]) => Promise<T>,
  opened: readonly Door[] = [],
): Promise<T> {
  const [program, ...rest] = which
  if (program === undefined) return body(opened)
  return withPair(
    {
      client: program,
      server: program,
      security,
      clientExtra: quiet,
      serverExtra: quiet,
      fixedTo: { host: '127.0.0.1', port: targetPort },
    },
    (pair) => withDoors(rest, security, targetPort, body, [...opened, { ...pair, program }]),
  )
}

/** Runs `body` beside an iperf3 server. */
export async function withIperfServer<T>(body: (port: number) => Promise<T>): Promise<T> {
  const [port] = (await freePorts(1)) as [number]
  const server = spawn('iperf3', ['-s', '-B', '127.0.0.1', '-p', String(port)], { stdio: 'ignore' })
  const gone = new Promise<Error>((resolve) => {
    server.once('error', () => resolve(new Error('iperf3 is needed for the bulk measurement and cannot be started')))
    server.once('exit', (code) => resolve(new Error(`iperf3 ended with ${code}`)))
  })
  try {
    const listening = async () => {
      while (!(await accepts(port))) await sleep(20)
    }
    await Promise.race([listening(), gone.then((error) => Promise.reject(error))])
    return await body(port)
  } finally {
    server.kill('SIGKILL')
    await gone
  }
}
