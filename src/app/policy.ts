/** What the policy levels decide about one flow. */
import { type PolicyConfig, policyOf } from '../config/model.ts'
import type { Session } from '../core/session.ts'
import type { RelayLimits } from '../relay/relay.ts'
import { type Counter, type CounterOwner, type Counters, counterName, type Direction } from '../stats/counters.ts'

/** The user's level decides, and the outbound's account as well where it has a level of its own. */
export function relayLimits(policy: PolicyConfig, near: number, far: number): RelayLimits {
  const a = policyOf(policy, near)
  const b = far === 0 ? a : policyOf(policy, far)
  const least = (pick: 'connIdle' | 'uplinkOnly' | 'downlinkOnly') => Math.min(a[pick], b[pick]) * 1000
  return { connIdleMs: least('connIdle'), uplinkOnlyMs: least('uplinkOnly'), downlinkOnlyMs: least('downlinkOnly') }
}

/** The counters that a flow adds to, by direction. Only what has a name has counters. */
export function countersOf(
  counters: Counters,
  policy: PolicyConfig,
  { user, inboundTag, outboundTag = '' }: Session,
): { readonly uplink: readonly Counter[]; readonly downlink: readonly Counter[] } {
  const level = policyOf(policy, user.level)
  const { system } = policy
  const pick = (direction: Direction, wanted: readonly [owner: CounterOwner, name: string, on: boolean][]) =>
    wanted.flatMap(([owner, name, on]) => (on && name !== '' ? counters.of(counterName(owner, name, direction)) : []))
  return {
    uplink: pick('uplink', [
      ['user', user.email, level.statsUserUplink],
      ['inbound', inboundTag, system.statsInboundUplink],
      ['outbound', outboundTag, system.statsOutboundUplink],
    ]),
    downlink: pick('downlink', [
      ['user', user.email, level.statsUserDownlink],
      ['inbound', inboundTag, system.statsInboundDownlink],
      ['outbound', outboundTag, system.statsOutboundDownlink],
    ]),
  }
}
