/** Numbers: what a process has used, and what many measurements say together. */

import { readdirSync, readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'

/**
 * Time that all threads of a process have run, user and system, seconds: by the scheduler's own count in nanoseconds, where
 * `/proc/PID/stat` counts hundredths of a second. A thread that has ended is not in it; none of these programs ends any at work.
 */
export function cpuSeconds(pid: number): number {
  let nanoseconds = 0
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    try {
      nanoseconds += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0])
    } catch {
      // It has ended since.
    }
  }
  return nanoseconds / 1e9
}

/** Resident memory, KiB. */
export function residentKb(pid: number): number {
  return Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1])
}

/** Waits until the processes use next to no time: what a run left behind is done. */
export async function untilQuiet(pids: readonly number[], quietMs = 150, limitMs = 6_000): Promise<void> {
  const total = () => pids.reduce((sum, pid) => sum + cpuSeconds(pid), 0)
  const deadline = performance.now() + limitMs
  for (let before = total(); performance.now() < deadline; ) {
    await sleep(quietMs)
    const now = total()
    if (now - before < quietMs * 1e-5) return
    before = now
  }
}

/** What two processes used while `work` ran, CPU seconds, and until what it left behind is done. */
export async function cpuOf<T>(
  pids: readonly [number, number],
  work: () => Promise<T>,
): Promise<{ readonly result: T; readonly client: number; readonly server: number }> {
  await untilQuiet(pids)
  const [client, server] = pids.map(cpuSeconds) as [number, number]
  const result = await work()
  await untilQuiet(pids)
  return { result, client: cpuSeconds(pids[0]) - client, server: cpuSeconds(pids[1]) - server }
}

export function percentile(values: readonly number[], percent: number): number {
  const sorted = [...values].sort((a, b) => a - b)
  return sorted[Math.min(sorted.length - 1, Math.floor((sorted.length * percent) / 100))] ?? Number.NaN
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}
