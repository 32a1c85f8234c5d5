/** Conditions on targets: rules of routing have them, and the last rules of freedom. */
import type { PortRange } from '../../settings/ports.ts'
import type { IpRule } from '../../settings/routing.ts'
import type { Context } from '../context.ts'
import { type Place, shorten } from '../report.ts'
import { didYouMean } from '../suggest.ts'
import { listOf, readPorts } from '../values.ts'
import { readIpRule } from './ip-rules.ts'

type Written = readonly string[] | string | undefined
type Owner<K extends string> = { readonly [key in K]?: Written }

/** The entries of a list, with their places. */
export function entriesOf<K extends string>(
  owner: Owner<K>,
  key: K,
  { report }: Context,
): [text: string, place: Place][] {
  const value: Written = owner[key]
  if (value === undefined || value === '') return []
  return listOf(value).map((text, i) => [text, typeof value === 'object' ? report.at(value, i) : report.at(owner, key)])
}

/** Undefined where nothing is asked. */
export function readIps<K extends string>(owner: Owner<K>, key: K, context: Context): IpRule[] | undefined {
  const list = entriesOf(owner, key, context)
  if (list.length === 0) return undefined
  const rules = list.flatMap(([text, place]) => readIpRule(text, place, context) ?? [])
  const inverted = new Set(rules.filter(({ not }) => not).map(({ kind }) => kind))
  if (inverted.size > 1) {
    const message = 'addresses and lists that say "not" are alternatives to each other: this matches nearly everything'
    context.report.warn('CFG123', context.report.at(owner, key), message)
  } else if (rules.filter(({ not }) => not).length > 1) {
    const message = 'several entries say "not": all of them must hold, as in Xray; in V2Ray 5 any of them suffices'
    context.report.warn('CFG123', context.report.at(owner, key), message)
  }
  return rules
}

/** Undefined where nothing is asked; none where what is asked is never so. */
export function readRulePorts<K extends string>(
  owner: { readonly [key in K]?: number | string | undefined },
  key: K,
  context: Context,
): readonly PortRange[] | undefined {
  const { report } = context
  const value: number | string | undefined = owner[key]
  if (value === undefined) return undefined
  const place = report.at(owner, key)
  if (value === 0) report.warn('CFG123', place, 'port 0 matches nothing')
  if (typeof value === 'number') return [{ from: value, to: value }]
  const items = value.split(',').filter((item) => item.trim() !== '')
  if (items.length === 0) {
    report.warn('CFG123', place, `"${key}" names no port: this rule never matches`)
    return []
  }
  return readPorts(items.join(','), place, context) ?? []
}

/** As the peers read it: blanks around a name make it another name. Undefined and none as with ports. */
export function readRuleNetworks(owner: Owner<'network'>, { report }: Context): readonly ('tcp' | 'udp')[] | undefined {
  const { network } = owner
  if (network === undefined || (typeof network === 'object' && network.length === 0)) return undefined
  const found = new Set<'tcp' | 'udp'>()
  const place = report.at(owner, 'network')
  for (const item of listOf(network)) {
    const name = item.toLowerCase()
    if (name === 'tcp' || name === 'udp') found.add(name)
    else if (name !== 'unix') {
      const trimmed = name.trim()
      const hint =
        trimmed === 'tcp' || trimmed === 'udp' ? `leave out the blanks: "tcp,udp"` : didYouMean(name, ['tcp', 'udp'])
      report.warn(
        'CFG026',
        place,
        `found ${JSON.stringify(shorten(item))}, expected "tcp" or "udp": this name matches nothing`,
        hint,
      )
    }
  }
  return [...found]
}
