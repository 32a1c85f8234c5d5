import type { Env } from '../../../core/env.ts'
import type { SharedParts } from '../../instance/instance-deps.ts'
import type { SharedHistory, SharedReplay } from '../memory/replay.ts'
import type { SharedPaths } from '../memory/shared-paths.ts'
import type { WorkerStart } from '../messages.ts'

/** What the instance of the main thread has in common with those of the workers. */
export interface CommonParts extends SharedParts {
  readonly replay: SharedReplay
  readonly history: SharedHistory
  readonly paths: SharedPaths
}

export interface CrewOptions {
  readonly env: Env
  readonly workers: number
  /** The file that a worker runs. */
  readonly entry: URL
  readonly log: WorkerStart['log']
  /** What a worker's heap may come to, MiB; by default its part of what this thread's may, and `limits.workerHeapMinMb` at least. */
  readonly heapMb?: number
  /** Takes the lines of their logs. */
  readonly lines: Readonly<Record<'log' | 'access', (text: string) => void>>
}
