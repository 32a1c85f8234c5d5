/** What a reload did, for programs and in a sentence. */

import type { ReloadReport } from '../../control/control.ts'
import type { Config, InboundConfig, ReverseEnd } from '../../settings/model.ts'
import { same } from '../../settings/same.ts'
import { diffUsers, vmessUsers } from './config-diff.ts'
import type { ReloadPlan } from './plan.ts'

const nameOf = ({ tag, at }: { readonly tag: string; readonly at: string }): string => tag || at

/** What the files say differently. */
export function reportOf(
  before: Config,
  after: Config,
  plan: ReloadPlan,
  said: Pick<ReloadReport, 'restart' | 'warnings'>,
): ReloadReport {
  const { pairing, changes, outbounds, removedOutbounds } = plan
  const visible = new Set(changes.flatMap(({ parts, visible }) => (visible ? parts.config : [])))
  const changed = pairing.pairs.filter(
    (pair) => visible.has(pair.after) || pair.before.protocol !== pair.after.protocol,
  )
  const bridges = comings(before.reverse?.bridges, after.reverse?.bridges)
  const portals = comings(before.reverse?.portals, after.reverse?.portals)
  const outboundsThat = (how: string) =>
    outbounds.flatMap((outbound) => (outbound.how === how && outbound.next.config ? nameOf(outbound.next.config) : []))
  return {
    inbounds: {
      added: [...pairing.added.map(nameOf), ...bridges.added],
      changed: changed.map((pair) => nameOf(pair.after)),
      removed: [...pairing.removed.map(nameOf), ...bridges.removed],
    },
    outbounds: {
      added: [...outboundsThat('added'), ...portals.added],
      changed: outboundsThat('changed'),
      removed: [...removedOutbounds.flatMap(({ config }) => (config ? nameOf(config) : [])), ...portals.removed],
    },
    users: countUsers(before, after, plan),
    routing: plan.routing !== undefined && !same(before.routing, after.routing),
    ...said,
  }
}

/** Tags of bridges or portals that come and go; one with another domain does both. */
function comings(before: readonly ReverseEnd[] = [], after: readonly ReverseEnd[] = []) {
  const tagsIn = (list: readonly ReverseEnd[], other: readonly ReverseEnd[]) =>
    list.flatMap((end) => (other.some((one) => same(one, end)) ? [] : end.tag))
  return { added: tagsIn(after, before), removed: tagsIn(before, after) }
}

/** By inbound where it is the same one; users of whole inbounds that come or go count when they are nowhere else. */
function countUsers(before: Config, after: Config, { pairing }: ReloadPlan): ReloadReport['users'] {
  const counts = { added: 0, changed: 0, removed: 0 }
  for (const pair of pairing.pairs) {
    const { added, changed, removed } = diffUsers(usersOf(pair.before), usersOf(pair.after))
    counts.added += added.length
    counts.changed += changed.length
    counts.removed += removed.length
  }
  const elsewhere = diffUsers(vmessUsers(before), vmessUsers(after))
  const among = (inbounds: readonly InboundConfig[], users: readonly object[]): number => {
    const own = new Set<object>(vmessUsers({ inbounds }))
    return users.filter((user) => own.has(user)).length
  }
  counts.added += among(pairing.added, elsewhere.added)
  counts.removed += among(pairing.removed, elsewhere.removed)
  return counts
}

const usersOf = (inbound: InboundConfig) => vmessUsers({ inbounds: [inbound] })

/** `inbound "a" added; users: 2 added, 1 removed`, or that nothing has changed. */
export function describeReload({ inbounds, outbounds, users, routing }: ReloadReport): string {
  const verbs = ['added', 'changed', 'removed'] as const
  const named = (kind: string, of: ReloadReport['inbounds']) =>
    verbs.flatMap((verb) => {
      const names = of[verb].map((name) => JSON.stringify(name)).join(', ')
      return names === '' ? [] : `${kind}${of[verb].length > 1 ? 's' : ''} ${names} ${verb}`
    })
  const counted = verbs.flatMap((verb) => (users[verb] > 0 ? `${users[verb]} ${verb}` : []))
  const parts = [
    ...named('inbound', inbounds),
    ...named('outbound', outbounds),
    ...(routing ? ['other rules'] : []),
    ...(counted.length > 0 ? [`users: ${counted.join(', ')}`] : []),
  ]
  return parts.length > 0 ? parts.join('; ') : 'inbounds, outbounds and users are as before'
}
