import { describe, expect, it } from 'vitest'
import { limits } from '../../../core/limits.ts'
import { TableKeySearch } from '../../../crypto/key-search/table.ts'
import { fakeRandom } from '../../../testing/fakes.ts'
import { authIdSealer, sealAuthId } from '../header/auth-id.ts'
import { UserDirectory, type VmessIdentity } from './directory.ts'
import { commandKey } from './identity.ts'
import { SearchQueue } from './search-queue.ts'
import { UserSearch } from './user-search.ts'

const nowS = 1_700_000_000
const random = fakeRandom(21)
const bytes = (length: number): Uint8Array => random.fill(new Uint8Array(length))
const experiments = { authenticatedLength: false, noTerminationSignal: false }
const users: VmessIdentity[] = Array.from({ length: 3000 }, (_, n) => ({
  id: bytes(16),
  alterId: 0,
  email: `u${n}`,
  level: 0,
  experiments,
}))
const directory = new UserDirectory(users, 'alterId', new TableKeySearch())
const openingOf = ({ id }: VmessIdentity) => sealAuthId(authIdSealer(commandKey(id)), nowS, bytes(4))

/** A queue whose turns are taken by hand. */
function rig() {
  const turns: { run: () => void; kind: 'soon' | 'later' }[] = []
  const queue = new SearchQueue({
    soon: (run) => void turns.push({ run, kind: 'soon' }),
    later: (run) => void turns.push({ run, kind: 'later' }),
  })
  const order: string[] = []
  const add = (address: string, known = false, opening: Uint8Array = bytes(16)) => {
    const search = directory.begin(opening, nowS * 1000)
    if (!(search instanceof UserSearch)) throw new Error('found at once')
    const cancel = queue.add(search, address, known, () => {
      order.push(address)
      queue.told(address, search.match !== undefined)
    })
    return { search, cancel }
  }
  /** Takes so many turns; which kinds they were. */
  const take = (count = Number.POSITIVE_INFINITY) => {
    const kinds: string[] = []
    for (let n = 0; n < count && turns.length > 0; n++) {
      const { run, kind } = turns.shift()!
      kinds.push(kind)
      run()
    }
    return kinds
  }
  return { queue, add, take, order, turns }
}

describe('searches that wait', () => {
  it('come to what a search at once comes to', () => {
    const { add, take, queue } = rig()
    const [found, lost] = [add('a', false, openingOf(users[2999]!)), add('a')]
    expect(queue.size).toBe(2)
    take()
    expect(found.search.match).toMatchObject({ user: users[2999], timeS: nowS })
    expect([lost.search.over, lost.search.match]).toEqual([true, undefined])
    expect(queue.size).toBe(0)
  })

  it('try only so many keys in a turn', () => {
    const { add, take, order } = rig()
    for (let n = 0; n < 10; n++) add(`honest ${n}`, false, openingOf(users[2900]!))
    take(1)
    take(1)
    expect(order.length).toBeLessThanOrEqual((limits.searchedKeysOfStrangers + limits.searchedKeys) / 2901)
    take()
    expect(order.length).toBe(10)
  })

  it('let addresses take turns, however many one of them has', () => {
    const { add, take, order } = rig()
    for (let n = 0; n < 200; n++) add('flood')
    add('new')
    add('known', true)
    take()
    expect(order.indexOf('new')).toBeLessThan(4)
    expect(order.indexOf('known')).toBeLessThan(4)
    expect(order.length).toBe(202)
  })

  it('leave those that only fail to the end, and to a small share of the time', () => {
    const { add, take, order, queue } = rig()
    queue.told('flood', false)
    for (let n = 0; n < 100; n++) add('flood')
    for (let n = 0; n < 20; n++) add(`new ${n}`)
    const kinds = take()
    expect(order.slice(0, 20).filter((name) => name === 'flood').length).toBeLessThanOrEqual(2)
    // Once only they are left, each turn is one of a millisecond.
    const late = kinds.filter((kind) => kind === 'later').length
    expect(late).toBeGreaterThan((90 * 3000) / limits.searchedKeysOfStrangers)
  })

  it('do not starve even those', () => {
    const { add, take, order, queue } = rig()
    queue.told('one', false)
    add('one')
    for (let n = 0; n < 500; n++) add(`new ${n}`)
    take()
    expect(order.indexOf('one')).toBeLessThan(100)
  })

  it('bear with failures of an address from which somebody comes in', () => {
    const { add, take, order, queue } = rig()
    for (let n = 1; n < limits.searchFailures; n++) queue.told('home', false)
    queue.told('flood', false)
    add('flood')
    add('home', true)
    take()
    expect(order).toEqual(['home', 'flood'])
    queue.told('home', false)
    add('flood')
    add('home', true)
    add('other')
    take()
    expect(order[2]).toBe('other')
    queue.told('home', true)
    add('flood')
    add('home', true)
    take()
    expect(order.slice(-2)).toEqual(['home', 'flood'])
  })

  it('are forgotten when taken back, and nothing is left of them', () => {
    const { add, take, order, queue } = rig()
    const all = ['a', 'a', 'b'].map((address) => add(address))
    all[0]!.cancel()
    all[0]!.cancel()
    expect(queue.size).toBe(2)
    take(1)
    for (const { cancel } of all) cancel()
    expect(queue.size).toBe(0)
    expect(take().length).toBeLessThanOrEqual(1)
    expect(order.length).toBeLessThan(3)
  })

  it('are bounded: the oldest of those that come last is given up for one more', () => {
    const { add, order, queue } = rig()
    queue.told('flood', false)
    const first = add('flood')
    for (let n = 1; n < limits.searchesWaiting; n++) add(n % 2 === 0 ? 'flood' : `new ${n}`)
    expect(order).toEqual([])
    const honest = add('honest', true)
    expect(queue.size).toBe(limits.searchesWaiting)
    expect([order, first.search.over, first.search.match, honest.search.over]).toEqual([
      ['flood'],
      true,
      undefined,
      false,
    ])
  })
})

describe('a search in steps, while users come and go', () => {
  const step = 100

  it('finds whoever was there from beginning to end, also one who took another slot', () => {
    for (let round = 0; round < 8; round++) {
      const here = new UserDirectory(users.slice(0, 800), 'alterId', new TableKeySearch())
      const wanted = users[700]!
      const search = here.begin(openingOf(wanted), nowS * 1000) as UserSearch
      for (let n = 0; !search.over; n++) {
        search.advance(step)
        if (n !== round) continue
        // It leaves a slot behind for one in front, as with a reload that renames an inbound.
        here.remove(users[3]!.id)
        here.remove(wanted.id)
        here.add(wanted)
      }
      expect(search.match).toMatchObject({ user: wanted })
    }
  })

  it('does not find one who left, nor takes another in the same slot for it', () => {
    const here = new UserDirectory(users.slice(0, 800), 'alterId', new TableKeySearch())
    const search = here.begin(openingOf(users[900]!), nowS * 1000) as UserSearch
    search.advance(step)
    here.remove(users[900]!.id)
    here.add(users[2000]!)
    while (!search.over) search.advance(step)
    expect(search.match).toBeUndefined()
  })

  it('is over at once when given up', () => {
    const search = directory.begin(openingOf(users[2999]!), nowS * 1000) as UserSearch
    search.giveUp()
    expect([search.over, search.advance(10_000), search.match]).toEqual([true, 10_000, undefined])
  })
})
