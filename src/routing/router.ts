/**
 * Which rule takes a flow. Rules are looked at from the first on; the first whose conditions all hold wins. Names and
 * addresses of a rule are compared last, because a name may have to be resolved for them.
 */
import type { DomainStrategy, RoutingConfig } from '../settings/routing.ts'
import { inGroups } from './address-groups.ts'
import { type Ip, ipOf } from './addresses.ts'
import { Candidates } from './candidates.ts'
import { comparable, DomainTable } from './domains.ts'
import type { FlowView } from './flow-view.ts'
import type { GeoLists } from './geo/lists.ts'
import { type CompileDeps, type CompiledRule, compileRule } from './rule.ts'

/** All addresses of a name; rejects or gives none where there are none. */
export type ResolveName = (name: string) => Promise<readonly string[]>

export interface RouterDeps {
  readonly lists: GeoLists
  readonly warn?: CompileDeps['warn']
}

/** What is known of a flow's target. */
export interface Target {
  /** As conditions compare it; undefined for an address. */
  readonly name: string | undefined
  /** Its addresses; undefined: it would have to be resolved first. */
  readonly ips: readonly Ip[] | undefined
}

/** What stopped at a rule: it needs the addresses of the name. */
const needsAddresses = (rule: number): number => -2 - rule

export class Router {
  readonly rules: readonly CompiledRule[]
  readonly #strategy: DomainStrategy
  readonly #trimDot: boolean
  readonly #table: DomainTable
  /** Rules that can match a name whose addresses nobody knows. */
  readonly #ofNames: Candidates
  /** Rules that can match an address. */
  readonly #ofAddresses: Candidates
  /** Rules that need neither a name nor an address. */
  readonly #nameless: Candidates
  readonly #all: Candidates
  readonly #hasNames: boolean
  readonly #resolves: boolean

  /** @throws RuleError for a list that is not there */
  constructor({ rules, domainStrategy, normalizeTrailingDot }: Omit<RoutingConfig, 'balancers'>, deps: RouterDeps) {
    this.#table = new DomainTable()
    const compile: CompileDeps = { table: this.#table, lists: deps.lists, warn: deps.warn ?? (() => {}) }
    this.rules = rules.map((rule, i) => compileRule(rule, i + 1, compile))
    this.#strategy = domainStrategy
    this.#trimDot = normalizeTrailingDot
    const those = (pick: (rule: CompiledRule) => boolean) => new Candidates(this.rules, pick)
    this.#all = those(() => true)
    this.#ofNames = those(({ addresses }) => addresses === undefined)
    this.#nameless = those(({ addresses, names }) => addresses === undefined && names < 0)
    this.#hasNames = this.rules.some(({ names }) => names >= 0)
    this.#ofAddresses = those(({ names }) => names < 0)
    this.#resolves = domainStrategy !== 'AsIs' && this.#ofNames.indices.length < this.rules.length
  }

  /** The rule that takes the flow, undefined for none; at once where no name has to be resolved for it. Never rejects. */
  pick(flow: FlowView, resolve: ResolveName): CompiledRule | undefined | Promise<CompiledRule | undefined> {
    const target = this.target(flow)
    const { name } = target
    if (name === undefined) return this.#at(this.#walk(flow, target, this.#ofAddresses, false))
    if (this.#resolves && this.#strategy === 'IPOnDemand') {
      const found = this.#walk(flow, { name, ips: undefined }, this.#all, true)
      return found > -2 ? this.#at(found) : this.#resolved(flow, target, -2 - found, resolve)
    }
    const found = this.#walk(flow, target, target.ips ? this.#all : this.#ofNames, false)
    if (found >= 0 || !this.#resolves) return this.#at(found)
    return this.#resolved(flow, target, 0, resolve)
  }

  /** What is known of the target before anything is resolved. */
  target({ host, goesTo }: FlowView): Target {
    const ip = ipOf(host)
    if (ip !== undefined) return { name: undefined, ips: [ip] }
    const original = goesTo === undefined ? undefined : ipOf(goesTo)
    const trimmed = this.#trimDot && host.endsWith('.') ? host.slice(0, -1) : host
    return { name: comparable(trimmed), ips: original === undefined ? undefined : [original] }
  }

  /** Goes on at a rule with the addresses of the name; where there are none, with what was known of it. */
  async #resolved(
    flow: FlowView,
    target: Target,
    from: number,
    resolve: ResolveName,
  ): Promise<CompiledRule | undefined> {
    const ips = (await resolve(flow.host).catch(() => [])).flatMap((text) => ipOf(text) ?? [])
    const known = ips.length > 0 ? ips : (target.ips ?? [])
    return this.#at(this.#walk(flow, { name: target.name, ips: known }, this.#all, false, from))
  }

  #at(index: number): CompiledRule | undefined {
    return index < 0 ? undefined : this.rules[index]
  }

  /** Index of the first rule from `from` on that holds, -1 for none; with `demand`, `needsAddresses` of one that cannot be told. */
  #walk(flow: FlowView, { name, ips }: Target, among: Candidates, demand: boolean, from = 0): number {
    const named = name !== undefined && this.#hasNames && this.#table.match(name)
    // Where no name matches, rules with conditions on names need no look.
    const rules = (named || among !== this.#ofNames ? among : this.#nameless).of(flow)
    next: for (let at = 0; at < rules.length; at++) {
      const index = rules[at]!
      if (index < from) continue
      const { others, names, addresses } = this.rules[index]!
      if (names >= 0 && !(named && this.#table.holds(names))) continue
      for (let i = 0; i < others.length; i++) if (!others[i]!.holds(flow)) continue next
      if (addresses) {
        if (!ips) {
          if (demand) return needsAddresses(index)
          continue
        }
        if (!ips.some((ip) => inGroups(addresses, ip))) continue
      }
      return index
    }
    return -1
  }

  /** The first condition of a rule that does not hold, by its key; undefined when all do. */
  failing(index: number, flow: FlowView, { name, ips }: Target): string | undefined {
    const { conditions, names, addresses } = this.rules[index]!
    const failed = conditions.find((condition) => !condition.holds(flow))
    if (failed) return failed.key
    if (names >= 0) {
      if (name === undefined) return 'domain'
      this.#table.match(name)
      if (!this.#table.holds(names)) return 'domain'
    }
    return addresses && !ips?.some((ip) => inGroups(addresses, ip)) ? 'ip' : undefined
  }
}
