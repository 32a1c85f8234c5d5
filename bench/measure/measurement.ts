import type { Results } from '../results.ts'
import type { Plan } from '../turns.ts'

/** One thing that can be measured: a word of `--only`. */
export interface Measurement {
  readonly name: string
  /** Heads its table. */
  readonly title: string
  /** What is done and counted, for who reads the table: sentences of Markdown. */
  readonly how: (plan: Plan) => string
  /** As many rounds as the plan says, if it does not say otherwise. */
  readonly rounds?: (plan: Plan) => number
  /** Not unless `--only` asks for it. */
  readonly onRequest?: boolean
  run(plan: Plan, results: Results): Promise<void>
}
