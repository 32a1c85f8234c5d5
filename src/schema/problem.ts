import { ProxyError } from '../core/errors.ts'
import type { ProblemCode } from './codes.ts'

export type Severity = 'error' | 'warning' | 'info'

/** One thing to say about a configuration. */
export interface Problem {
  /** Stable, for scripts: `CFG012`. */
  readonly code: ProblemCode
  readonly severity: Severity
  /** `inbounds[0].settings.clients[1].id`, in the merged configuration; `''` for the whole of it. */
  readonly path: string
  /** Name of the text it was found in; `''` when the configuration was not text. */
  readonly file: string
  /** From 1; 0 when the configuration was not text. */
  readonly line: number
  /** From 1; 0 when the configuration was not text. */
  readonly column: number
  /** What was found, and what was expected. Never holds a whole id or a password. */
  readonly message: string
  /** What to do about it. */
  readonly hint?: string
  /** Two lines for syntax errors: the source and a caret below it. */
  readonly excerpt?: string
}

/** CONFIG_INVALID with everything that was found. */
export class ConfigError extends ProxyError {
  readonly problems: readonly Problem[]

  constructor(problems: readonly Problem[]) {
    const errors = problems.filter((problem) => problem.severity === 'error')
    const count = errors.length === 1 ? 'one error' : `${errors.length} errors`
    super(
      'CONFIG_INVALID',
      `the configuration has ${count}:\n${errors.map((error) => formatProblem(error)).join('\n')}`,
    )
    this.problems = problems
  }
}

/** An error that carries the problems of a configuration that could not be used. */
export const configProblemError = (problems: readonly Problem[]): ConfigError => new ConfigError(problems)

const colours = { error: '\x1b[1;31m', warning: '\x1b[33m', info: '\x1b[36m', dim: '\x1b[2m', none: '\x1b[0m' } as const

/** A problem as a block of lines without a final line break: place, severity, path and code; message; excerpt; hint. */
export function formatProblem(problem: Problem, options: { readonly color?: boolean } = {}): string {
  const paint = (colour: keyof typeof colours, text: string) =>
    options.color ? `${colours[colour]}${text}${colours.none}` : text
  const place = problem.line > 0 ? `${problem.file}:${problem.line}:${problem.column}` : problem.file
  const head = [place, paint(problem.severity, problem.severity), problem.path, paint('dim', `[${problem.code}]`)]
  const lines = [head.filter((part) => part !== '').join('  '), ...indent(problem.message)]
  if (problem.excerpt) lines.push(...problem.excerpt.split('\n').map((line) => `  | ${line}`))
  if (problem.hint) lines.push(...indent(`hint: ${problem.hint}`))
  return lines.join('\n')
}

const indent = (text: string): string[] => text.split('\n').map((line) => `  ${line}`)
