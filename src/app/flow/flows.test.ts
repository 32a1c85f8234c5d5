import { expect, it } from 'vitest'
import { Accounts } from '../../account/accounts.ts'
import { memoryPair } from '../../net/memory/memory.ts'
import { fakeClock } from '../../testing/fakes.ts'
import { countingIds, Flows } from './flows.ts'

const request = { network: 'tcp' as const, target: { host: 'example.com', port: 80 } }
const origin = { tag: 'in', at: 'inbounds[0]' }

it('take the ids of sessions from the source that they were given, so that no two of several need be alike', () => {
  const clock = fakeClock(0)
  const accounts = new Accounts(clock)
  const ids = (nextId: () => number) => {
    const flows = new Flows({ clock, accounts, nextId })
    return [1, 2].map(() => flows.open(origin, memoryPair()[0], request).session.id)
  }
  expect(ids(countingIds())).toEqual([1, 2])
  expect(ids(countingIds())).toEqual([1, 2])
  let last = 2 ** 32
  expect(ids(() => ++last)).toEqual([2 ** 32 + 1, 2 ** 32 + 2])
})
