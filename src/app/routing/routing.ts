/** The router at work: rules as they are now, balancers over the outbounds as they are now. */
import type { Outbound } from '../../core/dialer.ts'
import type { Env } from '../../core/env.ts'
import { ProxyError } from '../../core/errors.ts'
import type { Lifetime } from '../../core/lifetime.ts'
import { limits } from '../../core/limits.ts'
import type { NameService } from '../../core/name-service.ts'
import type { Session } from '../../core/session.ts'
import { onceEvery } from '../../core/time/once-every.ts'
import { Balancer } from '../../routing/balancers/balancer.ts'
import type { Observe } from '../../routing/balancers/observation.ts'
import type { Router } from '../../routing/router.ts'
import type { CompiledRule } from '../../routing/rule.ts'
import type { RoutingConfig } from '../../settings/model.ts'
import type { Outbounds } from '../instance/outbounds.ts'
import { type CompileOptions, compileRouting, noRouting } from './compile.ts'
import { viewOf } from './view.ts'

export interface RoutingDeps extends CompileOptions {
  readonly env: Env
  readonly outbounds: Outbounds
  readonly names: NameService
  /** Tag of the API's outbound, where there is one. */
  readonly api: () => string | undefined
  /** Whether clients of this inbound may go to the API. */
  readonly isApiDoor: (inboundTag: string) => boolean
  readonly observe: Observe
}

/** Rules that were compiled and are not in force yet. */
export interface PreparedRouting {
  readonly config: RoutingConfig
  readonly router: Router | undefined
}

export class Routing {
  readonly #deps: RoutingDeps
  readonly #due: (what: string) => boolean
  #prepared: PreparedRouting = { config: noRouting, router: undefined }
  #balancers = new Map<string, Balancer>()
  #doors: readonly string[] = []

  constructor(deps: RoutingDeps) {
    this.#deps = deps
    this.#due = onceEvery(deps.env.clock, 60_000)
  }

  /** @throws ConfigError for a list that is not there */
  prepare(config: RoutingConfig = noRouting): PreparedRouting {
    return { config, router: compileRouting(config, this.#deps) }
  }

  /** Puts rules in force. A balancer that says the same as before goes on. */
  adopt(prepared: PreparedRouting, same: (a: unknown, b: unknown) => boolean = Object.is): void {
    const before = this.#balancers
    this.#prepared = prepared
    this.#doors = doorsOf(prepared.config, this.#deps.api())
    this.#balancers = new Map(
      prepared.config.balancers.map((config) => {
        const kept = before.get(config.tag)
        return [config.tag, kept && same(kept.config, config) ? kept : this.#balancer(config)]
      }),
    )
  }

  get config(): RoutingConfig {
    return this.#prepared.config
  }

  get router(): Router | undefined {
    return this.#prepared.router
  }

  balancer(tag: string): Balancer | undefined {
    return this.#balancers.get(tag)
  }

  /** Inbounds whose clients rules lead to the API. */
  get doors(): readonly string[] {
    return this.#doors
  }

  /** Tags of the outbounds that balancers choose among. */
  get tags(): readonly string[] {
    const api = this.#deps.api()
    return [...this.#deps.outbounds].map(({ outbound }) => outbound.tag).filter((tag) => tag !== api)
  }

  /** The outbound of a flow; throws or rejects with OUTBOUND_MISSING for a rule that leads nowhere. */
  route(session: Session, until: Lifetime): Outbound | undefined | Promise<Outbound | undefined> {
    return this.#turn(session, until, session.inboundTag, 0)
  }

  /** Once through the rules, which see `inboundTag`; and again where that leads to a loopback. */
  #turn(
    session: Session,
    until: Lifetime,
    inboundTag: string,
    turn: number,
  ): Outbound | undefined | Promise<Outbound | undefined> {
    const { router } = this.#prepared
    const taken = (rule: CompiledRule | undefined) => {
      const outbound = this.#outboundFor(rule, session)
      if (outbound?.reenters === undefined) return outbound
      if (turn === limits.loopbackTurns) throw endless(outbound.tag)
      return this.#turn(session, until, outbound.reenters, turn + 1)
    }
    if (!router) return taken(undefined)
    const view = viewOf(session)
    const seen = turn === 0 ? view : { ...view, inboundTag }
    const picked = router.pick(seen, (name) => this.#addresses(name, session, until))
    return picked instanceof Promise ? picked.then(taken) : taken(picked)
  }

  /** For a query of the built-in DNS nothing is looked up: it would be looked up by it. */
  async #addresses(name: string, { source, protocol }: Session, until: Lifetime): Promise<readonly string[]> {
    if (source === '' && protocol !== undefined) return []
    return (await this.#deps.names.lookup(name, ['A', 'AAAA'], until)).addresses
  }

  #outboundFor(rule: CompiledRule | undefined, session: Session): Outbound | undefined {
    const { outbounds } = this.#deps
    if (!rule) return outbounds.first
    session.rule = rule.name
    const { outboundTag, balancerTag } = rule.rule
    const tag = outboundTag ?? (balancerTag === undefined ? undefined : this.#balanced(balancerTag))
    if (tag === undefined && balancerTag !== undefined) return outbounds.first
    if (tag !== undefined && tag === this.#deps.api() && !this.#deps.isApiDoor(session.inboundTag)) {
      throw new ProxyError(
        'TARGET_FORBIDDEN',
        `the rule ${rule.name} leads to the API, and clients of this inbound may not go there`,
      )
    }
    const outbound = tag === undefined ? undefined : outbounds.get(tag)?.outbound
    if (outbound) return outbound
    throw new ProxyError(
      'OUTBOUND_MISSING',
      `the rule ${rule.name} leads to ${tag === undefined ? 'nothing' : `the outbound "${tag}"`}, which does not exist`,
    )
  }

  #balanced(tag: string): string | undefined {
    const picked = this.#balancers.get(tag)?.pick(this.tags)
    if (picked === undefined && this.#due(tag)) {
      this.#deps.env.log.warn({ balancer: tag }, 'no outbound can be chosen: the first one is taken')
    }
    return picked
  }

  #balancer(config: RoutingConfig['balancers'][number]): Balancer {
    const { env, observe } = this.#deps
    return new Balancer(config, { random: (limit) => env.random.below(limit), observe })
  }
}

const endless = (tag: string): ProxyError =>
  new ProxyError('LOOP_DETECTED', `the outbound "${tag}" leads back to the rules again and again`, {
    hint: 'write a rule for its "inboundTag" that leads elsewhere',
  })

function doorsOf({ rules }: RoutingConfig, api: string | undefined): readonly string[] {
  const leading = rules.filter(({ outboundTag }) => api !== undefined && outboundTag === api)
  return leading.flatMap(({ inboundTags }) => inboundTags ?? [])
}
