/** A rule as it is looked at: names by their number in the table, addresses as sets. */
import type { RoutingRule } from '../settings/routing.ts'
import { type AddressGroup, addressGroups } from './address-groups.ts'
import { type Condition, conditionsOf } from './conditions.ts'
import { comparable, type DomainTable } from './domains.ts'
import { GeoError } from './geo/data-file.ts'
import type { GeoLists } from './geo/lists.ts'
import { regexpFault } from './regexps.ts'

export interface CompiledRule {
  readonly rule: RoutingRule
  /** What is shown of it: its label, or its place among the others from 1. */
  readonly name: string
  readonly conditions: readonly Condition[]
  /** Those among them that look at inbound, network and port of the target only. */
  readonly fixed: readonly Condition[]
  /** The rest of them. */
  readonly others: readonly Condition[]
  /** Number of its condition on names; -1: it has none. */
  readonly names: number
  /** Its condition on addresses of the target. */
  readonly addresses: readonly AddressGroup[] | undefined
}

/** A rule that needs a list which is not there. */
export class RuleError extends Error {
  readonly rule: RoutingRule
  readonly key: 'domain' | 'ip' | 'source' | 'localIP'

  constructor(rule: RoutingRule, key: RuleError['key'], message: string) {
    super(message)
    this.rule = rule
    this.key = key
  }
}

export interface CompileDeps {
  readonly table: DomainTable
  readonly lists: GeoLists
  /** Told of what is not as it was meant and stops nothing. */
  readonly warn: (rule: RoutingRule, message: string) => void
}

/** @throws RuleError */
export function compileRule(rule: RoutingRule, number: number, deps: CompileDeps): CompiledRule {
  const groups = (key: 'ips' | 'sources' | 'locals') =>
    locating(rule, ({ ips: 'ip', sources: 'source', locals: 'localIP' } as const)[key], () =>
      addressGroups(rule[key] ?? [], (file, code) => deps.lists.addresses(file, code)),
    )
  if (rule.domains) locating(rule, 'domain', () => enterNames(rule, number, deps))
  const conditions = conditionsOf(rule, groups)
  const isFixed = ({ key }: Condition) => key === 'inboundTag' || key === 'network' || key === 'port'
  return {
    rule,
    name: rule.ruleTag || `#${number}`,
    conditions,
    fixed: conditions.filter(isFixed),
    others: conditions.filter((condition) => !isFixed(condition)),
    names: rule.domains ? number : -1,
    addresses: rule.ips && groups('ips'),
  }
}

function locating<T>(rule: RoutingRule, key: RuleError['key'], run: () => T): T {
  try {
    return run()
  } catch (error) {
    if (error instanceof GeoError) throw new RuleError(rule, key, error.message)
    throw error
  }
}

function enterNames(rule: RoutingRule, number: number, { table, lists, warn }: CompileDeps): void {
  for (const entry of rule.domains ?? []) {
    if (entry.kind !== 'list') {
      table.add(entry.kind, entry.value, number)
      continue
    }
    const { file, code, attributes } = entry
    let taken = 0
    lists.names(file, code, attributes, (kind, value) => {
      if (kind === 'regexp') {
        const fault = regexpFault(value)
        if (fault) warn(rule, `${file}, list ${code}: an entry is passed over: ${fault}`)
        else table.add(kind, value, number)
      } else if (value !== '') table.add(kind, comparable(value), number)
      taken++
    })
    if (taken > 0) continue
    const which = attributes.length > 0 ? `has no entry with @${attributes.join('@')}` : 'is empty'
    warn(rule, `${file}: the list ${code} ${which}, so it matches nothing`)
  }
}
