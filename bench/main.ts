/** npm run bench: this program and its peers side by side, over loopback, in turns. Options: --help. */

import { cpus } from 'node:os'
import type { Measurement } from './measure/measurement.ts'
import { measurements } from './measurements.ts'
import { type Asked, readOptions } from './options.ts'
import { baseline } from './programs/peers.ts'
import { writeFiles } from './report/files.ts'
import { columns, type Section } from './report/section.ts'
import { textTable } from './report/table.ts'
import { Results, type Row } from './results.ts'
import type { Plan } from './turns.ts'

const asked = readOptions()
if (asked) await main(asked)

async function main({ only, plan, write, json }: Asked): Promise<void> {
  const done: { section: Section; rows: readonly Row[] }[] = []
  for (const measurement of measurements.filter(({ name }) => only.includes(name))) {
    const results = new Results()
    await measurement.run(plan, results)
    const rows = results.rows()
    const section = sectionOf(measurement, plan, rows)
    done.push({ section, rows })
    plan.progress('')
    if (!json) console.log(`${textTable(columns(section, baseline))}\n`)
  }
  const sections = done.map(({ section }) => section)
  if (json)
    console.log(
      JSON.stringify(
        done.map(({ section, rows }) => ({ ...section, rows })),
        null,
        1,
      ),
    )
  else console.log(`Medians of ${plan.rounds} rounds. ${sections[0]?.machine}`)
  if (write)
    writeFiles(
      sections,
      measurements.map(({ name }) => name),
      baseline,
    )
}

/** Columns: the programs that were to be measured and were, then what a measurement made of them. */
function sectionOf(measurement: Measurement, plan: Plan, rows: readonly Row[]): Section {
  const measured = [...new Set(rows.flatMap(({ values }) => Object.keys(values)))]
  const known = plan.programs.filter(({ name }) => measured.includes(name))
  const made = measured.filter((name) => !known.some((program) => program.name === name))
  return {
    name: measurement.name,
    title: measurement.title,
    how: measurement.how(plan),
    rounds: plan.rounds,
    machine: `${cpus().length} x ${cpus()[0]?.model}`,
    date: `${new Date().toISOString().slice(0, 16).replace('T', ' ')} UTC`,
    command: commandLine(),
    programs: [
      ...known.map(({ name, own, version }) => ({ name, own, version })),
      ...made.map((name) => ({ name, own: true, version: 'as above' })),
    ],
    rows: rows.map(({ samples: _, ...row }) => row),
  }
}

/** Without the folders of this machine. */
const commandLine = (): string =>
  ['npm run bench --', ...process.argv.slice(2).map((word) => word.replace(/^\/\S*\//, ''))].join(' ')
