/** What a configuration would do with a flow, without any being there. */
import type { Address } from '../../core/address.ts'
import { type Env, silentLogger } from '../../core/env.ts'
import { forever } from '../../core/lifetime.ts'
import type { Session } from '../../core/session.ts'
import { type Explanation, explain } from '../../routing/explain.ts'
import type { Config } from '../../settings/model.ts'
import { systemResolver } from '../names/system-resolver.ts'
import { compileRouting, noRouting } from './compile.ts'
import { viewOf } from './view.ts'

export interface AskedFlow {
  readonly target: Address
  readonly network: 'tcp' | 'udp'
  /** `ip:port` of the client. */
  readonly source: string
  readonly user: string
  readonly inboundTag: string
  readonly protocol: string
}

export interface ExplainedRoute extends Explanation {
  /** Tag or protocol of the first outbound; undefined: there is none. */
  readonly first: string | undefined
  /** Whether the outbound that the rule names exists. */
  readonly exists: boolean
}

/** @throws ConfigError for a list that is not there */
export async function explainRoute(config: Config, asked: AskedFlow, env: Env): Promise<ExplainedRoute> {
  const router = compileRouting(config.routing ?? noRouting, { env: { log: silentLogger } })
  const session: Session = {
    id: 0,
    inboundTag: asked.inboundTag,
    source: asked.source,
    network: asked.network,
    target: asked.target,
    user: { email: asked.user, level: 0 },
    startedAt: 0,
    protocol: asked.protocol,
  }
  const resolve = systemResolver(env)
  const nothing: Explanation = { rule: undefined, resolved: undefined, passed: [] }
  const explained = router ? await explain(router, viewOf(session), (name) => resolve(name, 0, forever)) : nothing
  const [first] = config.outbounds
  const tag = explained.rule?.rule.outboundTag
  const exists =
    tag === undefined || tag === config.api?.tag || config.outbounds.some((outbound) => outbound.tag === tag)
  return { ...explained, first: first && (first.tag || first.protocol), exists }
}
