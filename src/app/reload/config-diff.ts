/** What two configurations have in common. */

import { type UserLimits, unlimited } from '../../core/user-limits.ts'
import { formatUuid } from '../../protocol/vmess/users/identity.ts'
import type { Config, VmessUser } from '../../settings/model.ts'
import { same } from '../../settings/same.ts'

export interface Pairing<T> {
  readonly pairs: readonly { readonly before: T; readonly after: T }[]
  readonly added: readonly T[]
  readonly removed: readonly T[]
}

/** Which entry became which: by tag; those without one by likeness, and what is left of them by protocol and order. */
export function pairUp<T extends { readonly tag: string; readonly protocol: string }>(
  before: readonly T[],
  after: readonly T[],
  alike: (a: T, b: T) => boolean,
): Pairing<T> {
  const left = new Set(before)
  const found = new Map<T, T>()
  const untagged = (entry: T) => entry.tag === ''
  const rules: ((a: T, b: T) => boolean)[] = [
    (a, b) => !untagged(b) && a.tag === b.tag,
    (a, b) => untagged(a) && untagged(b) && alike(a, b),
    (a, b) => untagged(a) && untagged(b) && a.protocol === b.protocol,
  ]
  for (const rule of rules) {
    for (const entry of after) {
      const match = found.has(entry) ? undefined : [...left].find((candidate) => rule(candidate, entry))
      if (!match) continue
      found.set(entry, match)
      left.delete(match)
    }
  }
  return {
    pairs: after.flatMap((entry) => (found.has(entry) ? { before: found.get(entry)!, after: entry } : [])),
    added: after.filter((entry) => !found.has(entry)),
    removed: [...left],
  }
}

export interface UserDiff {
  readonly added: readonly VmessUser[]
  readonly changed: readonly { readonly before: VmessUser; readonly after: VmessUser }[]
  readonly removed: readonly VmessUser[]
}

/** Users by their id; of several with one id the last counts. */
export function diffUsers(before: readonly VmessUser[], after: readonly VmessUser[]): UserDiff {
  const byId = (users: readonly VmessUser[]) => new Map(users.map((user) => [formatUuid(user.id), user]))
  const [old, now] = [byId(before), byId(after)]
  return {
    added: [...now].flatMap(([id, user]) => (old.has(id) ? [] : user)),
    changed: [...now].flatMap(([id, user]) => {
      const known = old.get(id)
      return known && !same(known, user) ? { before: known, after: user } : []
    }),
    removed: [...old].flatMap(([id, user]) => (now.has(id) ? [] : user)),
  }
}

/** `live` with what `after` says differently than `before`: the rest may have been changed meanwhile. */
export function mergeUser(live: VmessUser, before: VmessUser, after: VmessUser): VmessUser {
  const pick = <K extends 'alterId' | 'level' | 'email' | 'experiments'>(key: K): VmessUser[K] =>
    same(before[key], after[key]) ? live[key] : after[key]
  return {
    id: live.id,
    alterId: pick('alterId'),
    level: pick('level'),
    email: pick('email'),
    experiments: pick('experiments'),
    ...(after.limits && { limits: after.limits }),
  }
}

export const vmessUsers = ({ inbounds }: Pick<Config, 'inbounds'>): VmessUser[] =>
  inbounds.flatMap((inbound) => (inbound.protocol === 'vmess' ? inbound.settings.users : []))

/** What a configuration says about the limits of each e-mail, in small letters. Of several entries the last with limits counts. */
export function limitsByEmail(config: Pick<Config, 'inbounds'>): ReadonlyMap<string, UserLimits> {
  const limits = new Map<string, UserLimits>()
  for (const user of vmessUsers(config)) {
    const email = user.email.toLowerCase()
    if (email !== '') limits.set(email, user.limits ?? limits.get(email) ?? unlimited)
  }
  return limits
}

/** Parts of `next` that take a restart, in words, and `next` with what is in force instead of these. */
export function keepUntilRestart(running: Config, next: Config): { config: Config; restart: string[] } {
  const { log, control, accounting, api, workers, ...rest } = next
  const restart = (['log', 'control', 'accounting', 'workers'] as const).filter(
    (part) => !same(running[part], next[part]),
  )
  const apiStays = same(running.api, api)
  const config = {
    ...rest,
    log: running.log,
    workers: running.workers,
    ...(running.control && { control: running.control }),
    ...(running.accounting && { accounting: running.accounting }),
    ...(running.api && { api: running.api }),
  }
  return { config, restart: [...restart, ...(apiStays ? [] : ['api'])] }
}
