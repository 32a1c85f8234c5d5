/** Whatever becomes of a flow, it leaves no timer: neither of its dial, nor of the relay, nor of its user's speed limit. */

import { expect, it } from 'vitest'
import { Accounts } from '../../account/accounts.ts'
import type { Conn } from '../../core/conn.ts'
import type { Dialer } from '../../core/dialer.ts'
import { silentLogger } from '../../core/env.ts'
import { ProxyError } from '../../core/errors.ts'
import { unlimited } from '../../core/user-limits.ts'
import { memoryPair } from '../../net/memory/memory.ts'
import { defaultPolicy, defaultSystemPolicy } from '../../settings/model.ts'
import { Counters } from '../../stats/counters.ts'
import { fakeClock, fakeRandom } from '../../testing/fakes.ts'
import { createDispatch } from './dispatch.ts'
import { countingIds, Flows } from './flows.ts'
import { LoopGuard } from './loop-guard.ts'
import { Observers } from './observers.ts'

const email = 'slow@example.com'
const settle = () => new Promise<void>((resolve) => setImmediate(() => setImmediate(resolve)))

function rig(dial?: Dialer['dial']) {
  const clock = fakeClock(1_700_000_000_000)
  const [client, near] = memoryPair()
  const [far, target] = memoryPair()
  const accounts = new Accounts(clock)
  accounts.open(email, { ...unlimited, uplink: 1000 })
  const flows = new Flows({ clock, accounts, nextId: countingIds() })
  const io = createDispatch(
    { tag: 'in', at: 'inbounds[0]' },
    {
      env: { clock, random: fakeRandom(1), log: silentLogger },
      policy: () => ({ levels: new Map([[0, defaultPolicy]]), system: defaultSystemPolicy }),
      route: () => ({ tag: 'out', dial: dial ?? (async () => far), close: async () => {} }),
      flows,
      counters: new Counters(),
      observer: new Observers([], silentLogger),
      loops: new LoopGuard(),
      handshakes: new Set<Conn>(),
    },
  )
  const carry = (greet?: () => void | Promise<void>) =>
    io.carry(near, { network: 'tcp', target: { host: 'a.test', port: 80 }, user: { email, level: 0 } }, greet)
  return { clock, client, near, far, target, flows, io, carry }
}
type Rig = ReturnType<typeof rig>

const hangs: Dialer['dial'] = (_to, { until }) => new Promise((_resolve, reject) => until.onGone(reject))
const refuses: Dialer['dial'] = () => Promise.reject(new ProxyError('DIAL_REFUSED', 'refused'))

const ways: Record<string, [dial: Dialer['dial'] | undefined, run: (rig: Rig) => unknown]> = {
  'the dial fails': [refuses, ({ carry }) => carry()],
  'the dial takes too long': [
    hangs,
    ({ carry, clock }) => {
      const done = carry()
      clock.advance(16_000)
      return done
    },
  ],
  'the client goes during the dial': [
    hangs,
    async ({ carry, client }) => {
      const done = carry()
      await settle()
      client.destroy()
      return done
    },
  ],
  'the client is gone before the dial': [
    hangs,
    ({ carry, near }) => {
      near.destroy()
      return carry()
    },
  ],
  'the client goes while it is greeted': [undefined, ({ carry, near }) => carry(() => near.destroy())],
  'greeting goes wrong': [
    undefined,
    async ({ carry, client, target }) => {
      const done = carry(() => Promise.reject(new ProxyError('CONN_RESET', 'gone')))
      await client.closeWrite()
      await target.closeWrite()
      return done
    },
  ],
  'it is carried to its end': [
    undefined,
    async ({ carry, client, target }) => {
      const done = carry(() => {})
      await client.closeWrite()
      await target.closeWrite()
      return done
    },
  ],
  'it is cut while it waits for the speed limit of its user': [
    undefined,
    async ({ carry, client, clock, flows }) => {
      const done = carry()
      await client.write(new Uint8Array(50_000))
      await settle()
      clock.advance(1000)
      await settle()
      const [flow] = flows
      flow!.end(new ProxyError('SESSION_ENDED', 'cut'))
      return done
    },
  ],
  'the handshake takes too long': [
    undefined,
    ({ io, near, clock }) => {
      const done = io.handshake(near, () => near.read()).catch(() => {})
      clock.advance(60_000)
      return done
    },
  ],
  'the handshake succeeds': [
    undefined,
    async ({ io, near, client }) => {
      await client.write(Uint8Array.of(1))
      return io.handshake(near, () => near.read())
    },
  ],
  'the client goes during the handshake': [
    undefined,
    ({ io, near, client }) => {
      const done = io.handshake(near, () => near.read()).catch(() => {})
      client.destroy()
      return done
    },
  ],
}

it.each(Object.entries(ways))('%s', async (_name, [dial, run]) => {
  const all = rig(dial)
  await run(all)
  await settle()
  expect(all.clock.pending).toBe(0)
  expect(all.flows.size).toBe(0)
})
