/**
 * docs/performance.json holds what was measured last, each measurement with its machine, date and command; the page and the picture
 * are made from it. A run replaces its own measurements, and leaves the others as they are.
 */

import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { projectRoot } from '../../test/interop/rig/root.ts'
import { picture } from './picture.ts'
import { columns, failures, type Section } from './section.ts'
import { markdownTable } from './table.ts'

const at = (name: string): string => join(projectRoot, 'docs', name)
const begin = '<!-- written by npm run bench -- --write, from here -->'
const end = '<!-- to here -->'

/** The page as it is before the first run. */
const emptyPage = `# Performance

What this program costs beside others that speak VMess, on one machine, in one run: medians of rounds in which they take turns. How each figure is
taken, and how to read it: [benchmarks.md](benchmarks.md). Less is better, but for what is per second.

${begin}
${end}
`

/** `order`: names of measurements as the report has them. */
export function writeFiles(measured: readonly Section[], order: readonly string[], baseline: string): void {
  const kept = existsSync(at('performance.json'))
    ? (JSON.parse(readFileSync(at('performance.json'), 'utf8')) as Section[])
    : []
  const sections = order
    .map((name) => [...measured, ...kept].find((section) => section.name === name))
    .filter((section) => section !== undefined)
  writeFileSync(at('performance.json'), `${JSON.stringify(sections, null, 1)}\n`)
  writeFileSync(at('performance.svg'), picture(sections))
  const page = existsSync(at('performance.md')) ? readFileSync(at('performance.md'), 'utf8') : emptyPage
  const [before, after] = [page.indexOf(begin), page.indexOf(end)]
  if (before < 0 || after < before) throw new Error(`docs/performance.md has no "${begin}" and "${end}"`)
  const generated = sections.map((section) => pageOf(section, baseline)).join('\n\n')
  writeFileSync(
    at('performance.md'),
    `${page.slice(0, before + begin.length)}\n\n![The same figures as bars; shorter is better](performance.svg)\n\n${generated}\n\n${page.slice(after)}`,
  )
}

function pageOf(section: Section, baseline: string): string {
  const { title, how, rounds, machine, date, tookS, command, programs } = section
  const versions = programs.map(({ name, version }) => `${name}: ${version}`).join('; ')
  const failed = failures(section).map((line) => `- ${line}`)
  return [
    `## ${title}`,
    how,
    markdownTable(columns({ ...section, title: '' }, baseline)),
    ...(failed.length === 0 ? [] : [failed.join('\n')]),
    `<sub>${rounds === 1 ? 'One round' : `Medians of ${rounds} rounds`}; ${date}, ${tookS} s; ${machine}; ${versions}; \`${command}\`</sub>`,
  ].join('\n\n')
}
