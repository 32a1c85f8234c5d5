/** What the policy levels decide about one flow. */

import { limits } from '../../core/limits.ts'
import type { Session } from '../../core/session.ts'
import type { RelayLimits } from '../../relay/idle.ts'
import { defaultPolicy, type PolicyConfig, policyOf } from '../../settings/model.ts'
import type { ByteCounter, CounterOwner, CounterSource, FlowCounters } from '../../stats/counters.ts'

/** How long a flow may be idle and how much it may hold. */
export interface FlowTerms extends RelayLimits {
  /** Bytes above which a connection asks its source to wait, so that with one more read it is full. */
  readonly heldAtMost: number
}

/** Of each policy, for the levels that have occurred: worked out once, not for every flow. */
const known = new WeakMap<PolicyConfig, Map<number, Map<number, FlowTerms>>>()

/**
 * The user's level decides, and the outbound's account as well where it has a level of its own. `idleMs` stands instead of
 * what the levels say of idle flows.
 */
export function flowTerms(policy: PolicyConfig, near: number, far: number, idleMs?: number): FlowTerms {
  const terms = levelTerms(policy, near, far)
  return idleMs === undefined ? terms : { ...terms, connIdleMs: idleMs }
}

function levelTerms(policy: PolicyConfig, near: number, far: number): FlowTerms {
  const ofPolicy = entryOf(known, policy, () => new Map<number, Map<number, FlowTerms>>())
  const ofNear = entryOf(ofPolicy, near, () => new Map<number, FlowTerms>())
  return entryOf(ofNear, far, () => workedOut(policy, near, far))
}

function entryOf<K, V>(map: { get(key: K): V | undefined; set(key: K, value: V): unknown }, key: K, make: () => V): V {
  const found = map.get(key)
  if (found !== undefined) return found
  const made = make()
  map.set(key, made)
  return made
}

function workedOut(policy: PolicyConfig, near: number, far: number): FlowTerms {
  const ms = (pick: 'connIdle' | 'uplinkOnly' | 'downlinkOnly') => least(policy, near, far, pick) * 1000
  return {
    connIdleMs: ms('connIdle'),
    uplinkOnlyMs: ms('uplinkOnly'),
    downlinkOnlyMs: ms('downlinkOnly'),
    heldAtMost: Math.max(0, least(policy, near, far, 'bufferSize') - readSize(policy)),
  }
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
export function readSize(policy: PolicyConfig): number {
  return entryOf(readSizes, policy, () => smallestRead(policy))
}

const readSizes = new WeakMap<PolicyConfig, number>()

function smallestRead({ levels, unlisted = defaultPolicy }: PolicyConfig): number {
  let smallest = unlisted.bufferSize
  for (const { bufferSize } of levels.values()) smallest = Math.min(smallest, bufferSize)
  return Math.max(1, Math.min(16, Math.floor(smallest / 2 / chunk))) * chunk
}

/** The counters that a flow adds to. Only what has a name has counters. */
export function countersOf(
  counters: CounterSource,
  policy: PolicyConfig,
  { user, inboundTag, outboundTag = '' }: Session,
): FlowCounters {
  const level = policyOf(policy, user.level)
  const { system } = policy
  const uplink: ByteCounter[] = []
  const downlink: ByteCounter[] = []
  const add = (owner: CounterOwner, name: string, up: boolean, down: boolean): void => {
    if (name === '') return
    if (up) uplink.push(counters.owned(owner, name, 'uplink'))
    if (down) downlink.push(counters.owned(owner, name, 'downlink'))
  }
  add('user', user.email, level.statsUserUplink, level.statsUserDownlink)
  add('inbound', inboundTag, system.statsInboundUplink, system.statsInboundDownlink)
  add('outbound', outboundTag, system.statsOutboundUplink, system.statsOutboundDownlink)
  return { uplink, downlink }
}
