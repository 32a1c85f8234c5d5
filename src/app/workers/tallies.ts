/** What became of handshakes and sessions, counted under names that no counter of bytes has. */
import type { ErrorCode } from '../../core/errors.ts'
import type { Observer } from '../../core/observer.ts'
import type { Counters } from '../../stats/counters.ts'
import type { EndingCount } from '../../stats/endings.ts'
import type { HandshakeCount } from '../../stats/handshakes.ts'

type Outcome = HandshakeCount['outcome']

const handshakeName = (outcome: Outcome, reason: string, tag: string) => `\0handshake\0${outcome}\0${reason}\0${tag}`
const endingName = (reason: string, tag: string) => `\0ending\0\0${reason}\0${tag}`

/** Counts as Handshakes and Endings do. */
export function tallying(counters: Counters): Observer {
  const count = (name: string): void => counters.of(name).add(1)
  return {
    routed: ({ inboundTag }) => count(handshakeName('accepted', '', inboundTag)),
    failed: ({ inboundTag, outboundTag }, { code }) =>
      count(handshakeName(outboundTag === undefined ? 'refused' : 'failed', code, inboundTag)),
    rejected: ({ inboundTag }, { code }) => count(handshakeName('refused', code, inboundTag)),
    closed: ({ inboundTag }, _totals, reason) => {
      if (reason) count(endingName(reason.code, inboundTag))
    },
  }
}

type Tallies = Iterable<readonly [name: string, tally: { readonly value: number }]>

/** With what was counted by name. */
export function withHandshakes(own: readonly HandshakeCount[], tallies: Tallies): HandshakeCount[] {
  const counted = read(tallies, 'handshake').map(([outcome, reason, inboundTag, count]) => ({
    inboundTag,
    outcome: outcome as Outcome,
    reason: reason as ErrorCode | '',
    count,
  }))
  return merged([...own, ...counted], ({ inboundTag, outcome, reason }) => `${outcome} ${reason} ${inboundTag}`)
}

export function withEndings(own: readonly EndingCount[], tallies: Tallies): EndingCount[] {
  const counted = read(tallies, 'ending').map(([, reason, inboundTag, count]) => ({
    inboundTag,
    reason: reason as ErrorCode,
    count,
  }))
  return merged([...own, ...counted], ({ inboundTag, reason }) => `${reason} ${inboundTag}`)
}

function read(tallies: Tallies, kind: string): [outcome: string, reason: string, tag: string, count: number][] {
  const found: [string, string, string, number][] = []
  for (const [name, { value }] of tallies) {
    const [, of, outcome = '', reason = '', ...tag] = name.split('\0')
    if (of === kind) found.push([outcome, reason, tag.join('\0'), value])
  }
  return found
}

function merged<T extends { readonly count: number }>(rows: readonly T[], keyOf: (row: T) => string): T[] {
  const byKey = new Map<string, T>()
  for (const row of rows) {
    const key = keyOf(row)
    byKey.set(key, { ...row, count: row.count + (byKey.get(key)?.count ?? 0) })
  }
  return [...byKey.values()]
}
