import type { Report } from './report.ts'

/** What a kind's build step may use: it reports problems, it never throws. */
export interface Context {
  readonly report: Report
  /** Milliseconds since the epoch, to say what has expired; undefined when nobody told the time. */
  readonly now: number | undefined
  /** Value of an environment variable, also under its upper-case name with underscores; undefined when unset. */
  env(name: string): string | undefined
}

/** A context over these variables. */
export function createContext(
  report: Report,
  env: Readonly<Record<string, string | undefined>>,
  now: number | undefined,
): Context {
  const own = new Map(Object.entries(env))
  return { report, now, env: (name) => own.get(name) ?? own.get(name.toUpperCase().replaceAll('.', '_')) }
}
