/** One measurement of one run, as it is kept in docs/performance.json, and as the columns of a table. */

import type { Program } from '../programs/program.ts'
import type { Failure, Row } from '../results.ts'

export interface Section {
  readonly name: string
  readonly title: string
  readonly how: string
  readonly rounds: number
  readonly machine: string
  /** Of its end, UTC. */
  readonly date: string
  readonly tookS: number
  readonly command: string
  readonly programs: readonly Pick<Program, 'name' | 'own' | 'version'>[]
  readonly rows: readonly Omit<Row, 'samples'>[]
  readonly failures: readonly Failure[]
}

export interface Table {
  readonly header: readonly string[]
  readonly rows: readonly (readonly string[])[]
}

/** The values of each program, then each own one over the baseline, and the first own one over the best of the others. */
export function columns(section: Section, baseline: string): Table {
  const { title, programs, rows } = section
  const own = programs.filter((program) => program.own)
  const others = programs.filter((program) => !program.own)
  const compared = others.some(({ name }) => name === baseline) ? own : []
  const first = others.length > 1 ? own.slice(0, 1) : []
  return {
    header: [
      title,
      ...programs.map(({ name }) => name),
      ...compared.map(({ name }) => `${name}/${baseline}`),
      ...first.map(({ name }) => `${name}/best other`),
    ],
    rows: rows.map((row) => {
      const ratio = (name: string, to: number | undefined) => (row.of === 'sum' ? '' : quotient(row.values[name], to))
      return [
        row.name,
        ...programs.map(({ name }) => cell(section, row, name)),
        ...compared.map(({ name }) => ratio(name, row.values[baseline])),
        ...first.map(({ name }) => ratio(name, best(row, others))),
      ]
    }),
  }
}

/** A value; that the program failed, for a reason that stands below the table; or that it does not have this at all. */
function cell({ failures }: Section, row: Section['rows'][number], program: string): string {
  const value = row.values[program]
  if (value !== undefined) return value.toFixed(row.digits)
  return failures.some((failure) => failure.program === program && isAbout(failure, row.name)) ? 'failed' : '–'
}

function isAbout({ rows }: Failure, name: string): boolean {
  return rows === '' || (name.startsWith(rows) && /^(?:[ :,]|$)/.test(name.slice(rows.length)))
}

/** What failed and why, a line each. */
export const failures = (section: Section): string[] =>
  section.failures.map(
    ({ program, rows, reason }) => `${[program, rows].filter(Boolean).join(', ') || section.title}: failed: ${reason}`,
  )

function best(row: Section['rows'][number], among: Section['programs']): number | undefined {
  const values = among.map(({ name }) => row.values[name]).filter((value) => value !== undefined)
  if (values.length === 0) return undefined
  return row.better === 'more' ? Math.max(...values) : Math.min(...values)
}

const quotient = (value: number | undefined, to: number | undefined): string =>
  value === undefined || !to ? '–' : (value / to).toFixed(2)
