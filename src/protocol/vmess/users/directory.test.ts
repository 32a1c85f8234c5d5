import { describe, expect, it } from 'vitest'
import { TableKeySearch } from '../../../crypto/key-search/table.ts'
import { fakeRandom } from '../../../testing/fakes.ts'
import { authIdSealer, sealAuthId } from '../header/auth-id.ts'
import { legacyAuth } from '../header/legacy-auth.ts'
import { UserDirectory, type VmessIdentity } from './directory.ts'
import { alterIds, commandKey, formatUuid } from './identity.ts'
import { UserSearch } from './user-search.ts'

const nowS = 1_700_000_000
const nowMs = nowS * 1000 + 999
const random = fakeRandom(1)

const user = (n: number, alterId = 0, email = `user${n}@example.com`): VmessIdentity => ({
  id: new Uint8Array(16).fill(n),
  alterId,
  email,
  level: 0,
  experiments: { authenticatedLength: false, noTerminationSignal: false },
})
const authIdOf = ({ id }: VmessIdentity, timeS = nowS) =>
  sealAuthId(authIdSealer(commandKey(id)), timeS, random.fill(new Uint8Array(4)))

describe('AEAD', () => {
  it('finds every user, whatever its alterId, and knows its command key', () => {
    const users = Array.from({ length: 20 }, (_, n) => user(n, n % 3))
    const directory = new UserDirectory(users)
    expect(directory.size).toBe(20)
    for (const each of [...users, ...users.toReversed()]) {
      const match = directory.match(authIdOf(each), nowMs)
      expect(match?.user).toBe(each)
      expect(match).toMatchObject({ mode: 'aead', timeS: nowS, commandKey: commandKey(each.id) })
    }
    expect(directory.match(authIdOf(user(99)), nowMs)).toBeUndefined()
    expect(new UserDirectory().match(authIdOf(user(99)), nowMs)).toBeUndefined()
  })

  it.each([-5, 0, nowS - 86_400, nowS + 121, 2 ** 40])('opens whatever time it carries: %i', (timeS) => {
    expect(new UserDirectory([user(1)]).match(authIdOf(user(1), timeS), nowMs)?.timeS).toBe(timeS)
  })

  it('finds everybody after any sequence of hits, additions and removals', () => {
    const users = Array.from({ length: 5 }, (_, n) => user(n))
    const directory = new UserDirectory(users)
    for (let i = 0; i < 300; i++) {
      const each = users[random.below(5)]!
      if (random.below(3) === 0) {
        expect(directory.remove(each.id)).toBe(true)
        expect(directory.match(authIdOf(each), nowMs)).toBeUndefined()
        directory.add(each)
      }
      expect(directory.match(authIdOf(each), nowMs)?.user).toBe(each)
    }
    for (const each of users) expect(directory.match(authIdOf(each), nowMs)?.user).toBe(each)
  })

  it('finds the user who was seen last at once, however many there are', () => {
    const users = Array.from({ length: 5000 }, (_, n) => user(n))
    users.forEach((each, n) => {
      each.id[0] = n >> 8
    })
    const directory = new UserDirectory(users, 'alterId', new TableKeySearch())
    const [known, other] = [users[4000]!, users[3000]!]
    directory.letIn(known, 'home')
    for (const from of ['home', 'elsewhere']) {
      expect(directory.begin(authIdOf(known), nowMs, from)).toMatchObject({ user: known })
      expect(directory.begin(authIdOf(other), nowMs, from)).toBeInstanceOf(UserSearch)
    }
  })
})

describe('legacy', () => {
  const legacy = user(7, 3)
  const ids = [legacy.id, ...alterIds(legacy.id, 3)]

  it('takes the primary id and every alternative', () => {
    const directory = new UserDirectory([user(1), legacy])
    ids.forEach((id, n) => {
      expect(directory.match(legacyAuth(id, nowS), nowMs)).toMatchObject({ user: legacy, mode: 'legacy', alterId: n })
    })
    expect(directory.match(legacyAuth(alterIds(legacy.id, 4)[3]!, nowS), nowMs)).toBeUndefined()
  })

  it('takes exactly the seconds of the window, also while time goes on', () => {
    const directory = new UserDirectory([legacy])
    for (const later of [0, 1, 2, 100, 241, 1000, 5]) {
      for (const offset of [-121, -120, -119, -1, 0, 1, 60, 120, 121]) {
        const timeS = nowS + later + offset
        const match = directory.match(legacyAuth(ids[2]!, timeS), nowMs + later * 1000)
        expect(match?.timeS).toBe(Math.abs(offset) <= 120 ? timeS : undefined)
      }
    }
  })

  it('is closed to users without alternative ids', () => {
    expect(new UserDirectory([user(7, 0)]).match(legacyAuth(legacy.id, nowS), nowMs)).toBeUndefined()
  })

  it('works at the beginning of time', () => {
    expect(new UserDirectory([legacy]).match(legacyAuth(ids[1]!, 3), 0)?.timeS).toBe(3)
    expect(new UserDirectory([legacy]).match(new Uint8Array(16), 0)).toBeUndefined()
  })
})

describe('changes', () => {
  it('remove, once', () => {
    const directory = new UserDirectory([user(1), user(2, 2)])
    expect(directory.remove(user(2).id)).toBe(true)
    expect(directory.remove(user(2).id)).toBe(false)
    expect(directory.match(authIdOf(user(2)), nowMs)).toBeUndefined()
    expect(directory.match(legacyAuth(user(2).id, nowS), nowMs)).toBeUndefined()
    expect(directory.remove(user(1).id)).toBe(true)
    expect(directory.match(authIdOf(user(1)), nowMs)).toBeUndefined()
    directory.add(user(1))
    expect(directory.match(authIdOf(user(1)), nowMs)?.user.email).toBe('user1@example.com')
  })

  it('of two users with one id the later wins, also in its alterId', () => {
    const directory = new UserDirectory([user(1, 0, 'old'), user(1, 2, 'new')])
    expect(directory.size).toBe(1)
    expect(directory.match(authIdOf(user(1)), nowMs)?.user.email).toBe('new')
    expect(directory.match(legacyAuth(user(1).id, nowS), nowMs)?.user.email).toBe('new')
    directory.add(user(1, 0, 'newest'))
    expect(directory.match(legacyAuth(user(1).id, nowS), nowMs)).toBeUndefined()
  })

  it('replace all', () => {
    const directory = new UserDirectory([user(1), user(2), user(3, 4)])
    directory.replace([user(2, 1), user(4), user(4, 0, 'last')])
    const found = [1, 2, 3, 4].map((n) => directory.match(authIdOf(user(n)), nowMs)?.user.email)
    expect(found).toEqual([undefined, 'user2@example.com', undefined, 'last'])
    expect(directory.match(legacyAuth(user(2).id, nowS), nowMs)?.mode).toBe('legacy')
    expect(formatUuid(directory.match(authIdOf(user(4)), nowMs)!.user.id)).toBe('04040404-0404-0404-0404-040404040404')
  })

  it('are followed by the search for an e-mail', () => {
    const directory = new UserDirectory([user(1, 0, 'Ann@home.lan'), user(2, 0, ''), user(3, 0, '')])
    expect(directory.find('ann@HOME.lan')).toEqual(user(1, 0, 'Ann@home.lan'))
    directory.add(user(1, 0, 'ann@work.lan'))
    expect([directory.find('ann@home.lan'), directory.find('ann@work.lan')?.email]).toEqual([undefined, 'ann@work.lan'])
    expect(directory.find('')?.id).toEqual(user(2).id)
    directory.remove(user(2).id)
    expect(directory.find('')?.id).toEqual(user(3).id)
    directory.remove(user(3).id)
    expect(directory.find('')).toBeUndefined()
    expect([...directory].map(({ email }) => email)).toEqual(['ann@work.lan'])
  })
})
