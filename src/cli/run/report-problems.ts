/** What the loader found, shown to the person or to a script. */
import { formatProblem, type Problem } from '../../schema/problem.ts'
import type { Terminal } from '../process/terminal.ts'

/** One block per problem on standard error. Remarks without consequence only with `all`. */
export function printProblems(problems: readonly Problem[], terminal: Terminal, options: { all: boolean }): void {
  for (const problem of problems) {
    if (options.all || problem.severity !== 'info') terminal.err(formatProblem(problem, { color: terminal.errColor }))
  }
}

/** Whether the configuration can be used, and everything there is to say about it, as JSON on standard output. */
export function printProblemsJson(problems: readonly Problem[], ok: boolean, terminal: Terminal): void {
  terminal.out(JSON.stringify({ ok, problems }, null, 2))
}
