import { expect, it } from 'vitest'
import { limits } from '../core/limits.ts'
import { Counters, counterName } from './counters.ts'
import { FormerUsers } from './former-users.ts'

it('forgets the counters of those who left long ago, and not of those who came back', () => {
  const counters = new Counters()
  const former = new FormerUsers(counters)
  const uplink = (email: string) => counterName('user', email, 'uplink')
  const leave = (email: string) => {
    counters.of(uplink(email)).value++
    counters.of(counterName('user', email, 'downlink')).value++
    former.closed({ email })
  }
  counters.of('inbound>>>in>>>traffic>>>uplink').value = 7
  leave('first')
  leave('back')
  former.opened({ email: 'back' })
  for (let i = 0; i < limits.formerUsers - 1; i++) leave(`user${i}`)
  expect(counters.get(uplink('first'))?.value).toBe(1)
  leave('last')
  expect(counters.get(uplink('first'))).toBeUndefined()
  expect(counters.get(uplink('user0'))?.value).toBe(1)
  leave('user0') // left again: the newest now
  leave('one more')
  expect([uplink('user0'), uplink('user1'), uplink('back')].map((name) => counters.get(name)?.value)).toEqual([
    2,
    undefined,
    1,
  ])
  expect([...counters]).toHaveLength(2 * (limits.formerUsers + 1) + 1)
})
