/** Programs take turns within every round, so that what else the machine does falls on all of them. */

import { type Door, type Target, withPair } from './programs/pair.ts'
import type { Program, Way } from './programs/program.ts'
import type { Failure } from './results.ts'

/** What a run is to do, and where what happens is said. */
export interface Plan {
  readonly programs: readonly Program[]
  readonly rounds: number
  /** Of each transport, which are many. */
  readonly transportRounds: number
  /** Bytes of one bulk transfer, and of one over another transport than TCP. */
  readonly bytes: number
  readonly transportBytes: number
  readonly securities: readonly string[]
  /** As `ws+tls`. */
  readonly transports: readonly string[]
  /** Connections that each program has carried before new ones are measured. */
  readonly warmUp: number
  /** Connections that ours carries in a row, none of which may be refused or stall. */
  readonly endurance: number
  readonly starts: number
  /** How many users servers have, one after another. */
  readonly users: readonly number[]
  /** What is being done at this moment. */
  progress(text: string): void
  /** What could not be done. */
  failed(failure: Failure): void
}

/** What turns are taken at: for who watches the run, and what the names of its rows start with. */
export interface Task {
  readonly what: string
  readonly rows: string
  /** Of a turn that takes longer than others. */
  readonly limitMs?: number
}

/** A turn takes seconds; one that takes so long hangs. */
const turnLimitMs = 180_000
/** Ten thousand connections are among them. */
const warmUpLimitMs = 300_000

/** `turn` for each item in each round, the first of each round another than the last time. Who fails once is left out. */
export async function inTurns<T>(
  plan: Plan,
  { what, rows, limitMs = turnLimitMs }: Task,
  items: readonly T[],
  programOf: (item: T) => { readonly name: string },
  turn: (item: T, round: number) => Promise<void>,
): Promise<void> {
  const failed = new Set<T>()
  for (let round = 0; round < plan.rounds; round++) {
    for (let i = 0; i < items.length; i++) {
      const item = items[(i + round) % items.length]!
      if (failed.has(item)) continue
      plan.progress(`${what}, round ${round + 1} of ${plan.rounds}, ${programOf(item).name}`)
      try {
        await within(limitMs, turn(item, round))
      } catch (error) {
        failed.add(item)
        plan.failed({ program: programOf(item).name, rows, reason: reasonOf(error) })
      }
    }
  }
}

async function within<T>(limitMs: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`nothing came of it within ${limitMs / 1_000} s`)), limitMs)
  })
  try {
    return await Promise.race([work, late])
  } finally {
    clearTimeout(timer)
  }
}

/** Opens a door to the target for each program that has this way, warms each up, and then lets them take turns. */
export async function doorsInTurns(
  plan: Plan,
  task: Task,
  way: Partial<Way>,
  target: Target,
  steps: { warmUp(door: Door): Promise<unknown>; turn(door: Door, round: number): Promise<void> },
  programs: readonly Program[] = plan.programs,
): Promise<void> {
  const open = async (left: readonly Program[], doors: readonly Door[]): Promise<void> => {
    const [program, ...rest] = left
    if (!program) return inTurns(plan, task, doors, (door) => door.program, steps.turn)
    plan.progress(`${task.what}, warming ${program.name} up`)
    let warm = false
    try {
      await withPair(program, way, target, async (door) => {
        await within(warmUpLimitMs, steps.warmUp(door))
        warm = true
        await open(rest, [...doors, door])
      })
    } catch (error) {
      if (warm) throw error
      plan.failed({ program: program.name, rows: task.rows, reason: reasonOf(error) })
      await open(rest, doors)
    }
  }
  await open(programs, [])
}

export const reasonOf = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).slice(0, 2_000)
