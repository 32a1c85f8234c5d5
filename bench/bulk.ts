import { spawn } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Program } from '../test/interop/harness.ts'
import { cpuSeconds } from './figures.ts'
import { type Door, programs, withDoors, withIperfServer } from './peers.ts'

export interface BulkSample {
  readonly program: Program
  readonly security: string
  readonly direction: 'up' | 'down'
  readonly megabytesPerS: number
  /** CPU seconds of the client process per gigabyte carried; the server's likewise. */
  readonly clientSPerGb: number
  readonly serverSPerGb: number
}

/** One iperf3 connection through dokodemo-door, vmess, freedom; programs and directions take turns. */
export async function measureBulk(
  securities: readonly string[],
  rounds: number,
  bytes: number,
  progress: (text: string) => void,
): Promise<BulkSample[]> {
  const samples: BulkSample[] = []
  for (const security of securities) {
    await withIperfServer((port) =>
      withDoors(programs, security, port, async (doors) => {
        for (const door of doors) for (const direction of directions) await runIperf(door, direction, warmUpBytes)
        for (let round = 1; round <= rounds; round++) {
          for (const direction of directions) {
            for (const door of doors) {
              progress(`bulk ${security} ${direction}, round ${round} of ${rounds}, ${door.program}`)
              samples.push({ program: door.program, security, direction, ...(await carry(door, direction, bytes)) })
            }
          }
        }
      }),
    )
  }
  return samples
}

export const directions = ['up', 'down'] as const
export const warmUpBytes = 300_000_000

export async function carry(door: Door, direction: 'up' | 'down', bytes: number) {
  const clientBefore = cpuSeconds(door.client.pid)
  const serverBefore = cpuSeconds(door.server.pid)
  const received = await runIperf(door, direction, bytes)
  await sleep(100)
  const gigabytes = received.bytes / 1e9
  return {
    megabytesPerS: received.bits_per_second / 8e6,
    clientSPerGb: (cpuSeconds(door.client.pid) - clientBefore) / gigabytes,
    serverSPerGb: (cpuSeconds(door.server.pid) - serverBefore) / gigabytes,
  }
}

interface Received {
  readonly bytes: number
  readonly bits_per_second: number
}

export async function runIperf(door: Door, direction: 'up' | 'down', bytes: number): Promise<Received> {
  const args = ['-c', '127.0.0.1', '-p', String(door.doorPort), '-n', String(bytes), '-J', '--connect-timeout', '5000']
  if (direction === 'down') args.push('-R')
  // The iperf3 server says "busy" until it has seen the last run's control connection end.
  for (let attempt = 1; ; attempt++) {
    const { text, code } = await output('iperf3', args)
    const result = JSON.parse(text) as { error?: string; end?: { sum_received?: Received } }
    if (code === 0 && result.end?.sum_received) return result.end.sum_received
    if (attempt === 10)
      throw new Error(
        `iperf3 through ${door.program}: ${result.error ?? text}\n${door.client.log()}\n${door.server.log()}`,
      )
    await sleep(300)
  }
}

async function output(command: string, args: readonly string[]): Promise<{ text: string; code: number | null }> {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'], timeout: 300_000 })
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
