import type {
  BalancerView,
  ObservationView,
  RouteAnswer,
  RouteQuestion,
  RoutingControl,
  RuleView,
} from '../../control/routing.ts'
import { ProxyError } from '../../core/errors.ts'
import { forever } from '../../core/lifetime.ts'
import type { BalancerConfig, RoutingRule } from '../../settings/model.ts'
import { same } from '../../settings/same.ts'
import type { Instance } from '../instance/instance.ts'

/** The rules of an instance as the APIs see and change them. */
export class InstanceRouting implements RoutingControl {
  readonly #instance: Pick<Instance, 'routing' | 'measurements' | 'turns' | 'resolve'>

  constructor(instance: Pick<Instance, 'routing' | 'measurements' | 'turns' | 'resolve'>) {
    this.#instance = instance
  }

  async rules(): Promise<readonly RuleView[]> {
    return this.#instance.routing.config.rules.map(({ ruleTag, outboundTag = '' }) => ({ ruleTag, outboundTag }))
  }

  addRules(rules: readonly RoutingRule[], balancers: readonly BalancerConfig[], append: boolean): Promise<void> {
    return this.#instance.turns.take(async () => {
      const { routing } = this.#instance
      const before = append ? routing.config : { ...routing.config, rules: [], balancers: [] }
      const all = { ...before, rules: [...before.rules, ...rules], balancers: [...before.balancers, ...balancers] }
      mustBeDistinct(
        all.balancers.map(({ tag }) => tag),
        balancers.map(({ tag }) => tag),
        'duplicate balancer tag',
      )
      const labels = all.rules.flatMap(({ ruleTag }) => ruleTag || [])
      for (const { ruleTag, balancerTag } of rules) {
        if (balancerTag !== undefined && !all.balancers.some(({ tag }) => tag === balancerTag)) {
          throw new ProxyError('CONTROL_NOT_FOUND', `balancer ${balancerTag} not found`)
        }
        if (ruleTag !== '') mustBeDistinct(labels, [ruleTag], `duplicate ruleTag ${ruleTag}`)
      }
      routing.adopt(routing.prepare(all), append ? same : undefined)
    })
  }

  removeRules(ruleTag: string): Promise<number> {
    return this.#instance.turns.take(async () => {
      const { routing } = this.#instance
      const { config } = routing
      const rules = config.rules.filter((rule) => rule.ruleTag !== ruleTag)
      const removed = config.rules.length - rules.length
      if (removed > 0) routing.adopt(routing.prepare({ ...config, rules }), same)
      return removed
    })
  }

  async balancer(tag: string): Promise<BalancerView | undefined> {
    const { routing } = this.#instance
    const balancer = routing.balancer(tag)
    return balancer && { override: balancer.override ?? '', principle: balancer.principle(routing.tags) }
  }

  async overrideBalancer(tag: string, target: string): Promise<void> {
    const balancer = this.#instance.routing.balancer(tag)
    if (!balancer) throw new ProxyError('CONTROL_NOT_FOUND', `no balancer has the tag "${tag}"`)
    balancer.override = target === '' ? undefined : target
  }

  async testRoute(question: RouteQuestion): Promise<RouteAnswer | undefined> {
    const { routing, resolve } = this.#instance
    const { domain, targetIps, targetPort, sourceIp, localIp, attributes, ...rest } = question
    const host = domain || (targetIps[0] ?? '')
    const view = {
      ...rest,
      host,
      port: targetPort,
      goesTo: domain === '' ? undefined : targetIps[0],
      sourceHost: sourceIp,
      localHost: localIp,
      attributes: Object.keys(attributes).length > 0 ? attributes : undefined,
    }
    let resolved: readonly string[] = []
    const rule = await routing.router?.pick(view, async (name) => {
      resolved = await resolve(name, 0, forever)
      return resolved
    })
    if (!rule) return undefined
    const { outboundTag, balancerTag, ruleTag } = rule.rule
    const picked = balancerTag === undefined ? undefined : routing.balancer(balancerTag)?.pick(routing.tags)
    if (outboundTag === undefined && balancerTag !== undefined && picked === undefined) {
      throw new ProxyError('NO_OUTBOUND', `the balancer "${balancerTag}" chooses nothing`)
    }
    return { ruleTag, outboundTag: outboundTag ?? picked ?? '', resolved }
  }

  async observations(): Promise<readonly ObservationView[] | undefined> {
    return this.#instance.measurements.all()
  }
}

/** @throws ProxyError CONTROL_CONFLICT where one of `added` is among `all` more than once */
function mustBeDistinct(all: readonly string[], added: readonly string[], message: string): void {
  const twice = added.some((tag) => all.filter((other) => other === tag).length > 1)
  if (twice) throw new ProxyError('CONTROL_CONFLICT', message)
}
