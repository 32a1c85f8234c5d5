/** What a reload is going to do: everything is built here, and nothing is touched. */

import type { Config, InboundConfig, OutboundConfig } from '../../settings/model.ts'
import { policyOf } from '../../settings/model.ts'
import { same } from '../../settings/same.ts'
import type { PreparedNames } from '../dns/names.ts'
import type { InboundParts, RunningInbound } from '../inbound/running-inbound.ts'
import { checkSharing } from '../inbound/shared/check.ts'
import type { Instance } from '../instance/instance.ts'
import type { RunningOutbound } from '../instance/outbounds.ts'
import { noRouting } from '../routing/compile.ts'
import type { PreparedRouting } from '../routing/routing.ts'
import { type Pairing, pairUp } from './config-diff.ts'

/** An inbound that stays, with what it is going to be. */
export interface InboundChange {
  readonly inbound: RunningInbound
  /** What the files said of it; absent for one that an API added and the files now name too. */
  readonly before: InboundConfig | undefined
  readonly parts: InboundParts
  /** Something besides its users is different. */
  readonly visible: boolean
}

/** What one outbound of the new files is going to be. */
export interface OutboundChange {
  readonly next: RunningOutbound
  readonly how: 'kept' | 'changed' | 'added'
}

export interface ReloadPlan {
  readonly changes: readonly InboundChange[]
  readonly additions: readonly RunningInbound[]
  readonly removals: readonly RunningInbound[]
  readonly outbounds: readonly OutboundChange[]
  readonly removedOutbounds: readonly RunningOutbound[]
  /** Portals that there are then. */
  readonly portals: readonly RunningOutbound[]
  /** Rules that come into force; absent: those of an API stay, because the files say nothing new. */
  readonly routing: PreparedRouting | undefined
  readonly names: PreparedNames
  /** Inbounds as the files pair them, for the report. */
  readonly pairing: Pairing<InboundConfig>
}

/** @throws ConfigError for a certificate file, and for inbounds that cannot share an address */
export function planReload(instance: Instance, next: Config): ReloadPlan {
  const base = instance.config
  const pairing = pairUp(base.inbounds, next.inbounds, alikeInbounds)
  const running = (config: InboundConfig) => instance.inbounds.find((inbound) => inbound.config === config)
  const changes: InboundChange[] = []
  const additions: RunningInbound[] = []
  const removals = pairing.removed.flatMap((config) => running(config) ?? [])
  const change = (inbound: RunningInbound, before: InboundConfig | undefined, after: InboundConfig): void => {
    if (inbound.config.protocol === after.protocol) {
      changes.push(changeOf(instance, inbound, before, after, next))
      return
    }
    removals.push(inbound)
    additions.push(instance.createInbound(after, next.policy))
  }
  for (const { before, after } of pairing.pairs) {
    // What an API removed stays removed for as long as the files go on naming it.
    const inbound = running(before)
    if (inbound) change(inbound, before, after)
  }
  for (const after of pairing.added) {
    const inbound = after.tag === '' ? undefined : instance.inbound(after.tag)
    const taken = changes.some((other) => other.inbound === inbound)
    if (inbound && !taken && !removals.includes(inbound)) change(inbound, undefined, after)
    else additions.push(instance.createInbound(after, next.policy))
  }
  const stay = instance.inbounds.filter(
    (inbound) => !removals.includes(inbound) && !changes.some((change) => change.inbound === inbound),
  )
  checkSharing([...changes, ...additions, ...stay].map(({ parts }) => parts))
  return {
    changes,
    additions,
    removals,
    pairing,
    portals: instance.reverse.portals(next.reverse),
    routing: planRouting(instance, next),
    names: instance.names.prepare(next),
    ...planOutbounds(instance, next),
  }
}

/** Data files are read anew. */
function planRouting({ routing, config }: Instance, next: Config): PreparedRouting | undefined {
  const untouched = routing.config === (config.routing ?? noRouting)
  return untouched || !same(config.routing, next.routing) ? routing.prepare(next.routing) : undefined
}

const alikeInbounds = (a: InboundConfig, b: InboundConfig): boolean =>
  a.protocol === b.protocol && same(a.listen, b.listen)

/** Parts that say the same as before are taken over: a handler's state, a binding, the layers' sessions live on. */
function changeOf(
  instance: Instance,
  inbound: RunningInbound,
  before: InboundConfig | undefined,
  after: InboundConfig,
  { policy }: Config,
): InboundChange {
  const { parts } = inbound
  const built = instance.buildInbound(after, inbound.users, policy)
  const timeout = (of: Config['policy']) => policyOf(of, 0).handshake
  const sameLayers =
    same(parts.config.stream, after.stream) &&
    same(parts.files, built.files) &&
    timeout(instance.config.policy) === timeout(policy)
  const sameBase = same(parts.binding, built.binding)
  const sameHandler = same(withoutUsers(parts.config), withoutUsers(after))
  return {
    inbound,
    before,
    parts: {
      config: after,
      handler: sameHandler ? parts.handler : built.handler,
      base: sameBase ? parts.base : built.base,
      binding: built.binding,
      udp: parts.udp,
      secure: sameLayers ? parts.secure : built.secure,
      layers: sameLayers ? parts.layers : built.layers,
      claim: sameLayers ? parts.claim : built.claim,
      files: built.files,
    },
    visible: !sameHandler || !same(parts.files, built.files),
  }
}

const withoutUsers = (config: InboundConfig): object =>
  config.protocol === 'vmess' ? { ...config, settings: { ...config.settings, users: [] } } : config

function planOutbounds(
  instance: Instance,
  next: Config,
): { outbounds: readonly OutboundChange[]; removedOutbounds: readonly RunningOutbound[] } {
  const { pairs, added, removed } = pairUp(instance.config.outbounds, next.outbounds, same)
  const live = [...instance.outbounds]
  const running = (config: OutboundConfig) => live.find((outbound) => outbound.config === config)
  const beforeOf = new Map(pairs.map(({ before, after }) => [after, before]))
  const outbounds = next.outbounds.flatMap((after): OutboundChange[] => {
    const before = beforeOf.get(after)
    const current = before
      ? running(before)
      : live.find(({ config }) => config !== undefined && config.tag !== '' && config.tag === after.tag)
    if (before && !current) return []
    const built = instance.buildOutbound(after)
    if (!current) return [{ next: built, how: 'added' }]
    const kept = same(current.config, after) && same(current.files, built.files)
    return kept
      ? [{ next: { ...built, outbound: current.outbound }, how: 'kept' }]
      : [{ next: built, how: added.includes(after) ? 'added' : 'changed' }]
  })
  return { outbounds, removedOutbounds: removed.flatMap((config) => running(config) ?? []) }
}
