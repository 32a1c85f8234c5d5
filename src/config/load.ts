/** V2Ray's and Xray's JSON in; our Config, and everything there is to say about it, out. Pure: no file, no clock. */

import { builtin } from '../builtin/kinds.ts'
import type { Kinds } from '../kinds/kinds.ts'
import type { Problem } from '../schema/problem.ts'
import { Report } from '../schema/report.ts'
import { fromValue, type JsonNode, type ObjectNode, type Source } from '../schema/tree.ts'
import type { Config, WorkersConfig } from '../settings/model.ts'
import { buildConfig } from './build.ts'
import { freeze } from './freeze.ts'
import { type MergeMode, mergeRoots } from './text/merge.ts'
import { parseSource, type SourceText } from './text/source.ts'
import { type Format, isV5 } from './v5/format.ts'
import { translate } from './v5/translate.ts'

export { ConfigError, configProblemError, formatProblem, type Problem, type Severity } from '../schema/problem.ts'
export type { MergeMode } from './text/merge.ts'
export type { SourceText } from './text/source.ts'
export type { Format } from './v5/format.ts'

export interface LoadOptions {
  /** Warnings become errors. */
  readonly strict?: boolean
  /** How several files become one. Default: `v2ray`. */
  readonly merge?: MergeMode
  /** Variables for `env:NAME`; none by default. */
  readonly env?: Readonly<Record<string, string | undefined>>
  /** Milliseconds since the epoch: users whose date has passed get a warning. Without it none does. */
  readonly now?: number
  /** Tags of outbounds that are there beside those of the configuration. */
  readonly otherOutbounds?: readonly string[]
  /**
   * Inbounds and outbounds of protocols that are known and not supported are left out with a warning, and what leads to such
   * an outbound is blocked. Otherwise they are errors.
   */
  readonly skipUnsupported?: boolean
  /** How many threads are to serve clients, instead of what the texts say. */
  readonly workers?: WorkersConfig | undefined
  /** Which format texts are in; by default what stands in them tells. */
  readonly format?: Format
  /** What it can name; by default everything that is built in. */
  readonly kinds?: Kinds
}

export interface LoadResult {
  /** Frozen and complete. Absent when there is an error. */
  readonly config?: Config
  /** Errors first, then warnings, then infos; each by place. */
  readonly problems: readonly Problem[]
  /** One line for everything that merging replaced, added or joined. */
  readonly decisions: readonly string[]
}

/** Loads texts, the later ones over the earlier ones. Never throws. */
export function loadConfig(sources: readonly SourceText[], options: LoadOptions = {}): LoadResult {
  const report = new Report()
  if (sources.length === 0) {
    report.error('CFG009', { source: nowhere, offset: 0, path: '' }, 'no configuration was given')
  }
  return load(
    sources.map((source, order) => parseSource(source, order, report)),
    report,
    options,
  )
}

/** Loads a JavaScript value of the same shape. Problems have no position. Never throws. */
export function loadConfigValue(value: unknown, options: LoadOptions = {}): LoadResult {
  return load([fromValue(value, nowhere)], new Report(), options)
}

const nowhere: Source = { name: '', order: 0, text: '' }

function load(nodes: readonly (JsonNode | undefined)[], report: Report, options: LoadOptions): LoadResult {
  const roots = readRoots(nodes, options.format ?? 'auto', report)
  const decisions: string[] = []
  const whole = roots.length > 0 && roots.length === nodes.length
  const root = whole ? mergeRoots(roots, options.merge ?? 'v2ray', report, decisions) : undefined
  const config =
    root && buildConfig(root, { ...options, env: options.env ?? {}, kinds: options.kinds ?? builtin }, report)
  const problems = report.problems(options.strict ?? false)
  const usable = config && !problems.some(({ severity }) => severity === 'error')
  return { ...(usable && { config: freeze(config) }), problems, decisions }
}

/** Texts that were read, each in V2Ray 4's form; those that are no configuration are reported, and left out. */
export const readRoots = (nodes: readonly (JsonNode | undefined)[], format: Format, report: Report): ObjectNode[] =>
  nodes.flatMap((node) => (node && rootOf(node, format, report)) ?? [])

/** Null stands for an idle instance. */
function rootOf(node: JsonNode, format: Format, report: Report): ObjectNode | undefined {
  if (node.type === 'object') return inOneForm(node, format, report)
  if (node.type === 'null') return { ...node, type: 'object', entries: [] }
  const place = { source: node.source, offset: node.offset, path: '' }
  report.error('CFG003', place, `the outermost value is ${node.type}, expected an object { … }`)
  return undefined
}

/** Keys of our own, which both formats may have. */
const ownKeys = ['control', 'accounting', 'workers', 'env', 'remarks']

/** V2Ray 5's own format becomes that of V2Ray 4. */
function inOneForm(root: ObjectNode, format: Format, report: Report): ObjectNode | undefined {
  const v5 = isV5(root, format, report)
  if (v5 === undefined) return undefined
  return v5 ? translate(root, ownKeys, report) : root
}
