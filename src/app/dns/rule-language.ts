/** Rules about names and addresses outside the router: those of the DNS and of the dns outbound. */
import type { MatchAddress, MatchName, RankNames } from '../../dns/client/matchers.ts'
import { addressGroups, inGroups } from '../../routing/address-groups.ts'
import { ipOf } from '../../routing/addresses.ts'
import { comparable, DomainTable } from '../../routing/domains.ts'
import { GeoError } from '../../routing/geo/data-file.ts'
import { GeoLists } from '../../routing/geo/lists.ts'
import { ConfigError } from '../../schema/problem.ts'
import type { DomainRule, IpRule } from '../../settings/routing.ts'
import { AssetFiles, assetDirectories } from '../geo/find.ts'
import type { CompileOptions } from '../routing/compile.ts'

export interface RuleLanguage {
  names(rules: readonly DomainRule[]): MatchName
  rank(rules: readonly DomainRule[]): RankNames
  addresses(rules: readonly IpRule[]): MatchAddress
}

/** Has rules compiled while the lists that they name are open. @throws ConfigError for one that is not there */
export function withRules<T>({ findAsset }: Pick<CompileOptions, 'findAsset'>, compile: (rules: RuleLanguage) => T): T {
  const files = new AssetFiles(assetDirectories([]))
  try {
    return compile(languageOf(new GeoLists(findAsset ?? files.find)))
  } catch (error) {
    if (!(error instanceof GeoError)) throw error
    const at = { path: 'dns', file: '', line: 0, column: 0 }
    throw new ConfigError([{ code: 'CFG124', severity: 'error', ...at, message: error.message }])
  } finally {
    files.close()
  }
}

function languageOf(lists: GeoLists): RuleLanguage {
  const enter = (table: DomainTable, rule: DomainRule, id: number): void => {
    if (rule.kind !== 'list') table.add(rule.kind, rule.value, id)
    else lists.names(rule.file, rule.code, rule.attributes, (kind, value) => table.add(kind, value, id))
  }
  return {
    names(rules) {
      const table = new DomainTable()
      for (const rule of rules) enter(table, rule, 0)
      return (name) => {
        table.match(comparable(name))
        return table.holds(0)
      }
    },
    rank(rules) {
      const table = new DomainTable()
      for (const [id, rule] of rules.entries()) enter(table, rule, id)
      const order = [...rules.keys()].sort((a, b) => weight(rules[b]!) - weight(rules[a]!) || a - b)
      return (name) => {
        table.match(comparable(name))
        return order.filter((id) => table.holds(id))
      }
    },
    addresses(rules) {
      const groups = addressGroups(rules, (file, code) => lists.addresses(file, code))
      return (address) => {
        const ip = ipOf(address)
        return ip !== undefined && inGroups(groups, ip)
      }
    },
  }
}

/** Whole names come first, then domains, the longer one first, then the rest. */
function weight(rule: DomainRule): number {
  if (rule.kind === 'full') return 1000
  return rule.kind === 'domain' ? rule.value.split('.').length : 0
}
