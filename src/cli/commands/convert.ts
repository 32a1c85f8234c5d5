import { type Converted, convert as convertSources, type Form, forms, showLost } from '../../config/convert/convert.ts'
import type { SourceText } from '../../config/load.ts'
import { CliError, exitCodes, usageError } from '../process/exit.ts'
import type { Terminal } from '../process/terminal.ts'
import { printProblems } from '../run/report-problems.ts'
import { formatOf, programDirectory, readSources, type SourceFlags } from '../run/sources.ts'
import { mergeMode } from './run.ts'

export interface ConvertFlags extends SourceFlags {
  readonly to?: string
  readonly from?: string
  readonly merge?: string
  readonly skipUnsupported?: boolean
}

/** Prints a configuration, or the servers in it, in another form; what stayed behind goes to standard error. */
export async function convert(text: string | undefined, flags: ConvertFlags, terminal: Terminal): Promise<number> {
  const to = formFlag('to', flags.to)
  if (!to) throw usageError(`-to is missing; write one of ${forms.join(', ')}`)
  const from = formFlag('from', flags.from)
  const sources = await sourcesOf(text, flags, terminal)
  const options = {
    to,
    ...(from && { from }),
    merge: mergeMode(flags.merge),
    format: formatOf(flags),
    skipUnsupported: flags.skipUnsupported === true,
    env: terminal.env,
  }
  const { value, lost, problems } = convertSources(sources, options)
  printProblems(problems, terminal, { all: false })
  for (const each of lost) terminal.err(showLost(each))
  if (value === undefined) throw new CliError(exitCodes.config, nothingOf(problems))
  terminal.out(await written(value, to))
  return exitCodes.ok
}

const nothingOf = (problems: Converted['problems']): string =>
  problems.some(({ severity }) => severity === 'error')
    ? 'Not converted.'
    : 'There is nothing in it that this form can hold.'

function formFlag(name: 'to' | 'from', word: string | undefined): Form | undefined {
  if (word === undefined) return undefined
  const lower = word.toLowerCase()
  const form = forms.find((each) => each === lower) ?? aliases[lower]
  if (form) return form
  throw usageError(`-${name} ${word}: unknown; write ${forms.join(', ')}`)
}

/** Names that people have for these forms. */
const aliases: Readonly<Record<string, Form>> = {
  json: 'v4',
  v2ray: 'v4',
  jsonv5: 'v5',
  singbox: 'sing-box',
  mihomo: 'clash',
  yaml: 'clash',
  links: 'link',
}

/** A link as the argument, or files; YAML by its name or by what stands in it. */
async function sourcesOf(
  text: string | undefined,
  flags: ConvertFlags,
  terminal: Terminal,
): Promise<readonly SourceText[]> {
  const isLink = text !== undefined && text !== '-' && /:\/\/|=\s*vmess/i.test(text) && !/^https?:/i.test(text)
  if (isLink) return [{ name: 'link', text }]
  const named =
    text === undefined ? flags : { ...flags, config: [text === '-' ? 'stdin:' : text, ...(flags.config ?? [])] }
  const quiet = { ...terminal, err: () => {}, home: programDirectory() }
  const sources = await readSources(named, quiet)
  const { parseYaml } = await import('../../config/text/yaml.ts')
  return sources.map((source) =>
    source.parse || /^\s*[[{/#]/.test(source.text) ? source : withYaml(source, parseYaml),
  )
}

/** YAML has no first letter of its own: what begins like no JSON and has keys is taken for it. */
const withYaml = (source: SourceText, parse: NonNullable<SourceText['parse']>): SourceText =>
  /^(?:-\s+)?["']?[\w-]+["']?\s*:(?!\/\/)/m.test(source.text) && !/^\s*vmess1?:\/\//i.test(source.text)
    ? { ...source, parse }
    : source

async function written(value: NonNullable<Converted['value']>, to: Form): Promise<string> {
  if (Array.isArray(value)) return value.join('\n')
  if (to !== 'clash') return JSON.stringify(value, null, 2)
  const { stringify } = await import('yaml')
  return stringify(value, { lineWidth: 0 }).trimEnd()
}
