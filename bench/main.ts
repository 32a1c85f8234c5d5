/** npm run bench: this program and its peers side by side, over loopback, in turns. Options: --help. */

import { thisMachine } from './machine.ts'
import type { Measurement } from './measure/measurement.ts'
import { measurements } from './measurements.ts'
import { type Asked, readOptions } from './options.ts'
import { baseline } from './programs/peers.ts'
import { writeFiles } from './report/files.ts'
import { columns, failures, type Section } from './report/section.ts'
import { textTable } from './report/table.ts'
import { Results } from './results.ts'
import { type Plan, reasonOf } from './turns.ts'

const asked = readOptions()
if (asked) await main(asked)

async function main({ only, plan, write, json, progress }: Asked): Promise<void> {
  const began = performance.now()
  const done: object[] = []
  for (const measurement of measurements.filter(({ name }) => only.includes(name))) {
    const results = new Results()
    const section = await measured(measurement, plan, results)
    progress('')
    // Each as it comes: what has been measured is not lost with what ends the run.
    if (write) writeFiles([section], names, baseline)
    done.push({ ...section, rows: results.rows() })
    if (!json) console.log([textTable(columns(section, baseline)), ...failures(section), ''].join('\n'))
  }
  if (json) console.log(JSON.stringify(done, null, 1))
  else console.log(`${thisMachine()}; ${Math.round((performance.now() - began) / 1_000)} s`)
}

const names = measurements.map(({ name }) => name)

/** Whatever fails stands in the section, and ends nothing else. */
async function measured(measurement: Measurement, whole: Plan, results: Results): Promise<Section> {
  const began = performance.now()
  const plan: Plan = {
    ...whole,
    rounds: measurement.rounds?.(whole) ?? whole.rounds,
    failed: (failure) => {
      results.failures.push(failure)
      whole.failed(failure)
    },
  }
  try {
    await measurement.run(plan, results)
  } catch (error) {
    plan.failed({ rows: '', reason: reasonOf(error) })
  }
  return sectionOf(measurement, plan, results, performance.now() - began)
}

/** Columns: the programs that were measured, or failed, in the order of the plan, then what a measurement made of them. */
function sectionOf(measurement: Measurement, plan: Plan, results: Results, tookMs: number): Section {
  const rows = results.rows()
  const { failures } = results
  const named = new Set([
    ...rows.flatMap(({ values }) => Object.keys(values)),
    ...failures.flatMap(({ program }) => program ?? []),
  ])
  const known = plan.programs.filter(({ name }) => named.has(name))
  const made = [...named].filter((name) => !known.some((program) => program.name === name))
  return {
    name: measurement.name,
    title: measurement.title,
    how: measurement.how(plan),
    rounds: plan.rounds,
    machine: thisMachine(),
    date: `${new Date().toISOString().slice(0, 16).replace('T', ' ')} UTC`,
    tookS: Math.round(tookMs / 1_000),
    command: commandLine(),
    programs: [
      ...known.map(({ name, own, version }) => ({ name, own, version })),
      ...made.map((name) => ({ name, own: true, version: 'as above' })),
    ],
    rows: rows.map(({ samples: _, ...row }) => row),
    failures: failures.map((failure) => ({ ...failure, reason: failure.reason.split('\n')[0]!.slice(0, 200) })),
  }
}

/** Without the folders of this machine. */
function commandLine(): string {
  const words = process.argv.slice(2).map((word) => word.replace(/^(--[\w-]+=)?\/\S*\//, '$1'))
  return ['npm run bench --', ...words].join(' ')
}
