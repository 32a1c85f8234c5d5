/** Bytes in bulk: one iperf3 connection through a door. */

import { spawn } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import { accepts, freePorts } from '../../test/interop/rig/harness.ts'
import { cpuOf, untilQuiet } from '../figures.ts'
import { type Door, pidsOf } from '../programs/pair.ts'

export type Direction = 'up' | 'down'
export const directions = ['up', 'down'] as const

export interface IperfServer {
  readonly port: number
  /**
   * Ends it and starts another on the same port. It serves one client at a time, and not every program tells the target soon that the last
   * one has left, or ever that one has who said nothing, such as who looked whether the door is open.
   */
  renew(): Promise<void>
}

/** Runs `body` beside an iperf3 server. */
export async function withIperfServer<T>(body: (server: IperfServer) => Promise<T>): Promise<T> {
  const [port] = (await freePorts(1)) as [number]
  let end = await startIperf(port)
  try {
    return await body({
      port,
      renew: async () => {
        await end()
        end = await startIperf(port)
      },
    })
  } finally {
    await end()
  }
}

/** Returns what ends it. */
async function startIperf(port: number): Promise<() => Promise<unknown>> {
  const server = spawn('iperf3', ['-s', '-B', '127.0.0.1', '-p', String(port)], { stdio: 'ignore' })
  const gone = new Promise<Error>((resolve) => {
    server.once('error', () => resolve(new Error('iperf3 is needed for bulk and transports, and cannot be started')))
    server.once('exit', (code) => resolve(new Error(`iperf3 ended with ${code}`)))
  })
  const listening = async () => {
    while (!(await accepts(port))) await sleep(20)
  }
  await Promise.race([listening(), gone.then((error) => Promise.reject(error))])
  return () => {
    server.kill('SIGKILL')
    return gone
  }
}

export interface Carried {
  readonly megabytesPerS: number
  /** CPU seconds of the client process per gigabyte carried; the server's likewise. */
  readonly client: number
  readonly server: number
}

export async function carry(server: IperfServer, door: Door, direction: Direction, bytes: number): Promise<Carried> {
  await server.renew()
  const { result, ...cpu } = await cpuOf(pidsOf(door), () => runIperf(door, direction, bytes))
  const gigabytes = result.bytes / 1e9
  return { megabytesPerS: result.bits_per_second / 8e6, client: cpu.client / gigabytes, server: cpu.server / gigabytes }
}

interface Received {
  readonly bytes: number
  readonly bits_per_second: number
}

/** As much each way as is measured, but no more than `most`: what is compiled and grown then does not count. */
export async function warmIperf(server: IperfServer, door: Door, bytes: number, most: number): Promise<void> {
  // Whoever looked whether the door is open has come to the server by then.
  await untilQuiet(pidsOf(door))
  for (const direction of directions) {
    await server.renew()
    await runIperf(door, direction, Math.min(bytes, most))
  }
}

async function runIperf(door: Door, direction: Direction, bytes: number): Promise<Received> {
  const args = ['-c', '127.0.0.1', '-p', String(door.doorPort), '-n', String(bytes), '-J', '--connect-timeout', '5000']
  if (direction === 'down') args.push('-R')
  // The iperf3 server says "busy" until it has seen the last run's control connection end.
  for (let attempt = 1; ; attempt++) {
    const { text, code } = await output('iperf3', args, 30_000 + bytes / slowestPerMs)
    if (code === null) throw new Error(`iperf3 through ${door.program.name} has not come to its end`)
    const result = JSON.parse(text || '{}') as { error?: string; end?: { sum_received?: Received } }
    if (code === 0 && result.end?.sum_received) return result.end.sum_received
    if (attempt === 10) throw new Error(`iperf3 through ${door.program.name}: ${result.error ?? text}`)
    await sleep(100 * attempt)
  }
}

/** Bytes. A transfer that is slower is taken for one that hangs. */
const slowestPerMs = 2_000

async function output(
  command: string,
  args: readonly string[],
  timeout: number,
): Promise<{ text: string; code: number | null }> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'], timeout, killSignal: 'SIGKILL' })
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk
  })
  const code = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  return { text, code }
}
