import { describe, expect, it } from 'vitest'
import { recordingIo, settled, Tap } from '../../../test/support/inbound-io.ts'
import { testClient, testUser } from '../../../test/support/vmess-pair.ts'
import { silentLogger } from '../../core/env.ts'
import { limits } from '../../core/limits.ts'
import { TableKeySearch } from '../../crypto/key-search/table.ts'
import { memoryPair } from '../../net/memory/memory.ts'
import { ReplayMemory, SessionHistory } from '../../protocol/vmess/replay.ts'
import type { SwitchAccount } from '../../protocol/vmess/switch-account.ts'
import { UserDirectory } from '../../protocol/vmess/users/directory.ts'
import { SearchQueue } from '../../protocol/vmess/users/search-queue.ts'
import type { VmessUser } from '../../settings/model.ts'
import { fakeClock, fakeRandom } from '../../testing/fakes.ts'
import { Associations } from '../mux/associations.ts'
import { createVmessInbound } from './inbound.ts'

interface Options {
  readonly detour?: (user: VmessUser) => SwitchAccount | undefined
  readonly disableInsecureEncryption?: boolean
  /** Users beside the one. */
  readonly others?: number
}

/** Turns of the event loop that are taken by hand. */
function handTurns() {
  const waiting: (() => void)[] = []
  const wait = (run: () => void): void => void waiting.push(run)
  return {
    turns: { soon: wait, later: wait },
    waiting,
    async takeAll(): Promise<void> {
      for (let run = waiting.shift(); run; run = waiting.shift()) {
        run()
        await settled()
      }
    },
  }
}

function rig(user: VmessUser, { detour, disableInsecureEncryption = false, others = 0 }: Options = {}) {
  const clock = fakeClock(1_700_000_000_000)
  const drawn = fakeRandom(9)
  const strangers = Array.from({ length: others }, (_, n) => ({
    ...testUser(),
    id: drawn.fill(new Uint8Array(16)),
    email: `other ${n}`,
  }))
  const users = new UserDirectory<VmessUser>([...strangers, user], 'alterId', new TableKeySearch())
  const { turns, waiting, takeAll } = handTurns()
  const searches = new SearchQueue(turns)
  const inbound = createVmessInbound({
    associations: new Associations(clock),
    tag: 'in',
    users,
    replay: new ReplayMemory(clock),
    history: new SessionHistory(clock),
    searches,
    disableInsecureEncryption,
    env: { clock, random: fakeRandom(3), log: silentLogger },
    ...(detour && { detour }),
  })
  const [client, near] = memoryPair()
  const [far, origin] = memoryPair()
  const io = recordingIo({ clock, dial: () => far })
  const serving = inbound.serve(near, io)
  const session = testClient(user, clock)
  return { clock, users, client, origin, io, session, serving, inbound, searches, waiting, takeAll }
}

describe('the answer to a request', () => {
  it.each([0, 4])('carries the command of the detour, alterId %i', async (alterId) => {
    const user = testUser(alterId)
    const told = { host: '', port: 40_001, id: new Uint8Array(16).fill(7), alterId: 4, level: 2, validMinutes: 5 }
    const asked: VmessUser[] = []
    const { client, origin, session, io } = rig(user, {
      detour: (whom) => {
        asked.push(whom)
        return told
      },
    })
    await client.write(session.head())
    await origin.write(Buffer.from('answer'))
    const into = new Uint8Array(1000)
    const answer = (await client.read())!
    expect(Buffer.from(into.subarray(0, session.opener.open(answer, into))).toString()).toBe('answer')
    expect(session.opener.command).toEqual(told)
    expect(asked).toEqual([user])
    expect(io.requests[0]?.user).toEqual({ id: user.id, email: user.email, level: user.level })
  })

  it('carries none when there is nowhere to go', async () => {
    const { client, origin, session } = rig(testUser(), { detour: () => undefined })
    await client.write(session.head())
    await origin.write(Buffer.from('answer'))
    session.opener.open((await client.read())!, new Uint8Array(1000))
    expect(session.opener.answered).toBe(true)
    expect(session.opener.command).toBeUndefined()
  })
})

it('serves nobody who was removed while the request was on its way', async () => {
  const user = testUser()
  const { clock, users, client, session, io } = rig(user)
  const tap = new Tap(client)
  const head = session.head()
  await tap.send(head.subarray(0, 30))
  users.remove(user.id)
  await tap.send(head.subarray(30))
  await settled()
  expect(io.rejected.map(({ code }) => code)).toEqual(['USER_REMOVED'])
  expect(io.requests).toEqual([])
  // As silent as for a stranger, for as long.
  expect(tap.state).toBe('open')
  expect(tap.hex).toBe('')
  clock.advance(60_000)
  await settled()
  expect(tap.state).not.toBe('open')
})

it('serves a user who was changed while the request was on its way as what the user is now', async () => {
  const user = testUser()
  const { users, client, session, io } = rig(user)
  const tap = new Tap(client)
  const head = session.head()
  await tap.send(head.subarray(0, 30))
  users.add({ ...user, level: 5, email: 'now@example.com' })
  await tap.send(head.subarray(30))
  expect(io.requests[0]?.user).toEqual({ id: user.id, email: 'now@example.com', level: 5 })
})

describe('among many users', () => {
  const others = 2 * limits.usersAtOnce

  it('a client is looked for in later turns, and served as ever', async () => {
    const user = testUser()
    const { client, session, io, searches, takeAll } = rig(user, { others })
    const tap = new Tap(client)
    const head = session.head()
    await tap.send(head.subarray(0, 20))
    await tap.send(head.subarray(20))
    await settled()
    expect([io.requests.length, searches.size]).toEqual([0, 1])
    await takeAll()
    expect([io.requests[0]?.user?.email, searches.size]).toEqual([user.email, 0])
  })

  it('one who was let in lately is known at once', async () => {
    const user = testUser()
    const { client, inbound, clock, io, takeAll, waiting, users } = rig(user, { others })
    await new Tap(client).send(testClient(user, clock).head())
    await settled()
    await takeAll()
    const [again, near] = memoryPair()
    void inbound.serve(near, io)
    await new Tap(again).send(testClient(user, clock).head())
    await settled()
    expect([io.requests.length, waiting.length, users.knows('')]).toEqual([2, 0, false])
  })

  it('a stranger is refused once all were tried, in silence', async () => {
    const { client, io, searches, takeAll, clock } = rig(testUser(), { others })
    const tap = new Tap(client)
    await tap.send(new Uint8Array(16).fill(7))
    await settled()
    expect([io.rejected.length, searches.size]).toEqual([0, 1])
    await takeAll()
    expect(io.rejected.map(({ code }) => code)).toEqual(['VMESS_UNKNOWN_USER'])
    expect([tap.state, tap.hex]).toEqual(['open', ''])
    clock.advance(60_000)
    await settled()
    expect(tap.state).not.toBe('open')
  })

  it('nobody is looked for any more who has left', async () => {
    const { client, io, searches, serving } = rig(testUser(), { others })
    await new Tap(client).send(new Uint8Array(16).fill(7))
    await settled()
    expect(searches.size).toBe(1)
    client.destroy()
    await serving
    expect([searches.size, io.requests.length]).toEqual([0, 0])
  })
})

describe('disableInsecureEncryption', () => {
  const insecure = ['none', 'zero', 'aes-128-cfb'] as const
  it.each(
    insecure.flatMap((security) => [0, 4].map((alterId) => [security, alterId] as const)),
  )('ends the connection of a user who asks for %s at once (alterId %i)', async (security, alterId) => {
    const user = testUser(alterId)
    const { client, clock, io, serving } = rig(user, { disableInsecureEncryption: true })
    const tap = new Tap(client)
    const head = testClient(user, clock, { security }).head()
    await tap.send(head)
    await serving
    await settled()
    expect(tap.state).not.toBe('open')
    expect(tap.hex).toBe('')
    expect(clock.pending).toBe(0)
    expect(io.rejected).toEqual([{ code: 'VMESS_INSECURE_REFUSED', user: { email: user.email, level: user.level } }])
  })

  it.each([0, 4])('leaves who sends the same again in silence, like every stranger (alterId %i)', async (alterId) => {
    const user = testUser(alterId)
    const { client, clock, io, inbound } = rig(user, { disableInsecureEncryption: true })
    const head = testClient(user, clock, { security: 'none' }).head()
    const copy = head.slice()
    await new Tap(client).send(head)
    const [prober, near] = memoryPair()
    void inbound.serve(near, io)
    const tap = new Tap(prober)
    await tap.send(copy)
    expect(io.rejected.map(({ code }) => code)).toEqual(['VMESS_INSECURE_REFUSED', 'VMESS_REPLAY'])
    expect(tap.state).toBe('open')
    clock.advance(60_000)
    await settled()
    expect(tap.state).not.toBe('open')
  })
})
