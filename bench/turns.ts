/** Programs take turns within every round, so that what else the machine does falls on all of them. */

import { type Door, type Target, withPair } from './programs/pair.ts'
import type { Program, Way } from './programs/program.ts'

/** What a run is to do, and where what happens is said. */
export interface Plan {
  readonly programs: readonly Program[]
  readonly rounds: number
  /** Bytes of one bulk transfer, and of one over another transport than TCP. */
  readonly bytes: number
  readonly transportBytes: number
  readonly securities: readonly string[]
  /** As `ws+tls`. */
  readonly transports: readonly string[]
  /** Connections that each program has carried before new ones are measured. */
  readonly warmUp: number
  /** What is being done at this moment. */
  progress(text: string): void
  /** What could not be done. */
  note(text: string): void
}

/** `turn` for each item in each round, the first of each round another than the last time. Who fails once is left out. */
export async function inTurns<T>(
  plan: Plan,
  what: string,
  items: readonly T[],
  nameOf: (item: T) => string,
  turn: (item: T, round: number) => Promise<void>,
): Promise<void> {
  const failed = new Set<T>()
  for (let round = 0; round < plan.rounds; round++) {
    for (let i = 0; i < items.length; i++) {
      const item = items[(i + round) % items.length]!
      if (failed.has(item)) continue
      plan.progress(`${what}, round ${round + 1} of ${plan.rounds}, ${nameOf(item)}`)
      try {
        await turn(item, round)
      } catch (error) {
        failed.add(item)
        plan.note(`${what}: ${nameOf(item)} is left out: ${reason(error)}`)
      }
    }
  }
}

/** Opens a door to the target for each program that has this way, warms each up, and then lets them take turns. */
export async function doorsInTurns(
  plan: Plan,
  what: string,
  way: Partial<Way>,
  target: Target,
  steps: { warmUp(door: Door): Promise<unknown>; turn(door: Door, round: number): Promise<void> },
  programs: readonly Program[] = plan.programs,
): Promise<void> {
  const open = async (left: readonly Program[], doors: readonly Door[]): Promise<void> => {
    const [program, ...rest] = left
    if (!program) return inTurns(plan, what, doors, (door) => door.program.name, steps.turn)
    plan.progress(`${what}, warming ${program.name} up`)
    let warm = false
    try {
      await withPair(program, way, target, async (door) => {
        await steps.warmUp(door)
        warm = true
        await open(rest, [...doors, door])
      })
    } catch (error) {
      if (warm) throw error
      plan.note(`${what}: ${program.name} is left out: ${reason(error)}`)
      await open(rest, doors)
    }
  }
  await open(programs, [])
}

const reason = (error: unknown): string => (error instanceof Error ? error.message : String(error)).slice(0, 2_000)
