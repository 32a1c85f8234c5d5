import { expect, it } from 'vitest'
import { systemClock } from '../../instance/env.ts'
import { usedTrafficStride } from '../memory/used-traffic.ts'
import type { ToWorker } from '../messages.ts'
import { SharedAccounts } from './accounts.ts'

const threads = 3

it('users who come and go for ever take no more memory than those who are there', () => {
  const told: ToWorker[] = []
  const { accounts, ...shared } = rig(told)
  for (let i = 0; i < 10_000; i++) {
    accounts.open(`user-${i}@example.com`)
    accounts.get(`user-${i}@example.com`)!.spend('uplink', 1)
    accounts.close(`user-${i}@example.com`)
    shared.settle()()
  }
  const segments = told.filter((message) => message.type === 'segment')
  expect(segments.map(({ segment }) => segment.memory.byteLength)).toEqual([1_024 * 8 * usedTrafficStride(threads)])
})

it('a slot is nobody else’s before every worker has heard that its user is gone', () => {
  const told: ToWorker[] = []
  const { accounts, ...shared } = rig(told)
  const slotOf = (email: string) => {
    accounts.open(email)
    return told.flatMap((message) =>
      message.type === 'account' && message.account.email === email ? [message] : [],
    )[0]!.account.slot
  }
  const slot = slotOf('alice@example.com')
  const alice = accounts.get('alice@example.com')!
  accounts.close('alice@example.com')
  const free = shared.settle()
  expect(told.at(-1)).toEqual({ type: 'closed', email: 'alice@example.com', slot })
  expect(slotOf('bob@example.com')).not.toBe(slot)
  free()
  expect(slotOf('cleo@example.com')).toBe(slot)
  // A connection of the one who is gone may still end.
  alice.spend('uplink', 5)
  expect({ ...accounts.get('cleo@example.com')!.used }).toEqual({ uplink: 0, downlink: 0 })
})

function rig(told: ToWorker[]) {
  const shared = new SharedAccounts({ clock: systemClock, threads, tell: (message) => void told.push(message) })
  return { accounts: shared.accounts, settle: () => shared.settle() }
}
