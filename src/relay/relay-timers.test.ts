/** Whatever way a relay ends, it leaves no timer: one that stays keeps both connections for as long as it runs. */

import { expect, it } from 'vitest'
import type { Conn } from '../core/conn.ts'
import { countInto, type Meters, type Pace } from '../core/streams/meter.ts'
import { type Deferred, deferred } from '../core/time/deferred.ts'
import { memoryPair } from '../net/memory/memory.ts'
import { fakeClock } from '../testing/fakes.ts'
import { relay } from './relay.ts'

const limits = { connIdleMs: 300_000, uplinkOnlyMs: 2000, downlinkOnlyMs: 5000 }
const byte = Uint8Array.of(1)
const settle = () => new Promise<void>((resolve) => setImmediate(() => setImmediate(resolve)))

function rig() {
  const [client, near] = memoryPair()
  const [far, target] = memoryPair()
  return { client, near, far, target, clock: fakeClock(0) }
}
type Rig = ReturnType<typeof rig>

/** From now on its closeWrite() waits. */
function held(conn: Conn): Deferred<void> {
  const wait = deferred<void>()
  conn.closeWrite = () => wait.promise
  return wait
}

const never: Pace = { pass: () => new Promise(() => {}), holds: () => true, admit: () => false }
const paced: Meters = { uplink: { add: () => {}, pace: never }, downlink: { add: () => {}, pace: undefined } }

interface Way {
  readonly before?: (rig: Rig) => void
  readonly meters?: Meters
  readonly end: (rig: Rig) => void | Promise<void>
}

const ways: Record<string, Way> = {
  'in order': {
    end: async ({ client, target }) => {
      await client.closeWrite()
      await target.closeWrite()
      await settle()
    },
  },
  'the client breaks': { end: ({ client }) => client.destroy(new Error('reset')) },
  'the target breaks': { end: ({ target }) => target.destroy(new Error('reset')) },
  'the target breaks while the client’s end is passed on': {
    before: ({ far }) => void held(far),
    end: async ({ client, target }) => {
      await client.closeWrite()
      await settle()
      target.destroy(new Error('reset'))
    },
  },
  'the client breaks while its end is passed on, which is done later': {
    end: async ({ client, near, far }) => {
      const wait = held(far)
      await client.closeWrite()
      await settle()
      near.destroy(new Error('reset'))
      await settle()
      wait.resolve()
    },
  },
  'the target breaks while its end is passed on, which fails later': {
    end: async ({ target, near, far }) => {
      const wait = held(near)
      await target.closeWrite()
      await settle()
      far.destroy(new Error('reset'))
      await settle()
      wait.reject(new Error('reset'))
    },
  },
  idle: { end: ({ clock }) => clock.advance(limits.connIdleMs) },
  'idle after the client’s end': {
    end: async ({ client, clock }) => {
      await client.closeWrite()
      await settle()
      clock.advance(limits.downlinkOnlyMs)
    },
  },
  'idle after the target’s end': {
    end: async ({ target, clock }) => {
      await target.closeWrite()
      await settle()
      clock.advance(limits.uplinkOnlyMs)
    },
  },
  'cut while it waits for a speed limit': {
    meters: paced,
    end: async ({ client, near, clock }) => {
      await client.write(byte)
      await settle()
      clock.advance(2 * limits.connIdleMs)
      near.destroy(new Error('cut'))
    },
  },
  'the client is gone before it begins': { before: ({ near }) => near.destroy(new Error('cut')), end: () => {} },
  'the target is gone before it begins': { before: ({ far }) => far.destroy(new Error('cut')), end: () => {} },
  'both are gone before it begins': {
    before: ({ near, far }) => {
      near.destroy()
      far.destroy()
    },
    end: () => {},
  },
  'writing throws, by a mistake of ours': {
    before: ({ far }) => {
      far.write = () => {
        throw new TypeError('a mistake')
      }
    },
    end: async ({ client }) => void (await client.write(byte)),
  },
  'writing fails': {
    before: ({ near }) => {
      near.write = () => Promise.reject(new Error('broken'))
    },
    end: async ({ target }) => void (await target.write(byte)),
  },
}

it.each(Object.entries(ways))('%s', async (_name, { before, meters, end }) => {
  const all = rig()
  before?.(all)
  const totals = { uplink: 0, downlink: 0 }
  const done = relay(all.near, all.far, limits, all.clock, meters ?? countInto(totals)).catch((mistake) => mistake)
  await end(all)
  await done
  await settle()
  expect(all.clock.pending).toBe(0)
  expect(all.near.gone).toBeDefined()
  expect(all.far.gone).toBeDefined()
})
