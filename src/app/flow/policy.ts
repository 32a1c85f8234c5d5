/** What the policy levels decide about one flow. */

import { limits } from '../../core/limits.ts'
import type { Session } from '../../core/session.ts'
import type { RelayLimits } from '../../relay/relay.ts'
import { defaultPolicy, type PolicyConfig, policyOf } from '../../settings/model.ts'
import {
  type ByteCounter,
  type CounterOwner,
  type CounterSource,
  counterName,
  type Direction,
} from '../../stats/counters.ts'

/** The user's level decides, and the outbound's account as well where it has a level of its own. */
export function relayLimits(policy: PolicyConfig, near: number, far: number): RelayLimits {
  const ms = (pick: 'connIdle' | 'uplinkOnly' | 'downlinkOnly') => least(policy, near, far, pick) * 1000
  return { connIdleMs: ms('connIdle'), uplinkOnlyMs: ms('uplinkOnly'), downlinkOnlyMs: ms('downlinkOnly') }
}

function least(
  policy: PolicyConfig,
  near: number,
  far: number,
  pick: 'connIdle' | 'uplinkOnly' | 'downlinkOnly' | 'bufferSize',
): number {
  const own = policyOf(policy, near)[pick]
  return far === 0 ? own : Math.min(own, policyOf(policy, far)[pick])
}

/** What a full chunk carries. */
const chunk = limits.sharedReadBuffer / 16

/**
 * Bytes that one read may bring: half of the smallest buffer of all levels, because what one read brought is held on top
 * of what was held already. In whole chunks, and at least one.
 */
export function readSize({ levels, unlisted = defaultPolicy }: PolicyConfig): number {
  let smallest = unlisted.bufferSize
  for (const { bufferSize } of levels.values()) smallest = Math.min(smallest, bufferSize)
  return Math.max(1, Math.min(16, Math.floor(smallest / 2 / chunk))) * chunk
}

/** Bytes above which a connection of these levels asks its source to wait, so that with one more read it is full. */
export const heldAtMost = (policy: PolicyConfig, near: number, far: number): number =>
  Math.max(0, least(policy, near, far, 'bufferSize') - readSize(policy))

/** The counters that a flow adds to, by direction. Only what has a name has counters. */
export function countersOf(
  counters: CounterSource,
  policy: PolicyConfig,
  { user, inboundTag, outboundTag = '' }: Session,
): { readonly uplink: readonly ByteCounter[]; readonly downlink: readonly ByteCounter[] } {
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
