import { describe, expect, it } from 'vitest'
import { fakeRandom } from '../../../testing/fakes.ts'
import { legacyAuth } from '../header/legacy-auth.ts'
import { alterIds, parseUuid } from './identity.ts'
import { LegacyTable } from './legacy-table.ts'

const id = parseUuid('b831381d-6324-4d53-ad4f-8cda48b30811')
const nowS = 1_700_000_000
const random = fakeRandom(8)
const makeAll = (table: LegacyTable) => {
  while (!table.ready) table.make()
  return table
}

describe('the ids of users and their seconds', () => {
  it('are all found, in every second, also around the end of 32 bits', () => {
    const table = new LegacyTable()
    table.set(4, id, 5)
    makeAll(table)
    for (let timeS = 4_294_967_200; timeS < 4_294_967_296 + 300; timeS += 7) {
      for (const [n, each] of [id, ...alterIds(id, 5)].entries()) {
        const at = table.find(legacyAuth(each, timeS), timeS, timeS, 0, table.made)
        expect(table.ownerOf(at)).toEqual({ slot: 4, alterId: n })
      }
    }
  })

  it('are made user by user, and only when asked for', () => {
    const table = new LegacyTable()
    table.set(0, id, 3)
    table.set(1, parseUuid('00000000-0000-0000-0000-000000000001'), 1)
    expect([table.size, table.made, table.ready]).toEqual([6, 0, false])
    expect([table.make(), table.made, table.ready]).toEqual([4, 4, false])
    expect([table.make(), table.made, table.ready]).toEqual([2, 6, true])
    expect(table.make()).toBe(0)
  })

  it('are those of the users of the moment, after any changes', () => {
    const table = new LegacyTable()
    const users = new Map<number, { id: Uint8Array; alterId: number }>()
    for (let step = 0; step < 200; step++) {
      const slot = random.below(12)
      if (random.below(3) === 0) {
        table.remove(slot)
        users.delete(slot)
      } else {
        const user = { id: random.fill(new Uint8Array(16)), alterId: random.below(4) }
        table.set(slot, user.id, user.alterId)
        users.set(slot, user)
      }
      if (random.below(2) === 0) makeAll(table)
    }
    makeAll(table)
    expect(table.size).toBe([...users.values()].reduce((sum, { alterId }) => sum + 1 + alterId, 0))
    expect(table.made).toBeLessThanOrEqual(2 * table.size)
    for (const [slot, user] of users) {
      const at = table.find(legacyAuth(user.id, nowS), nowS, nowS, 0, table.made)
      expect(table.ownerOf(at)).toEqual({ slot, alterId: 0 })
    }
  })

  it.each([0, 4, 43])('are found where there is room for %i authentications, and seconds near now are kept', (room) => {
    const table = new LegacyTable(room)
    table.set(0, id, 3)
    makeAll(table)
    const spread = [0, 1, -1, 40, -40, 100, 0, 120, 3, -2, 2, 100, 0, -1]
    for (const offset of spread) {
      const timeS = nowS + offset
      const auth = legacyAuth(alterIds(id, 3)[2]!, timeS)
      expect(table.find(auth, timeS, nowS, 0, 4)).toBe(3)
      expect(table.find(auth, timeS + 1, nowS, 0, 4)).toBe(-1)
    }
    const kept = spread.filter((offset) => table.missing(nowS + offset, 0, 4) === 0)
    expect(new Set(kept).size).toBeLessThanOrEqual(room / 4)
    expect(kept.includes(0)).toBe(room >= 4)
  })
})
