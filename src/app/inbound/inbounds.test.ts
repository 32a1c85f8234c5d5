import { expect, it } from 'vitest'
import { Accounts } from '../../account/accounts.ts'
import { loadConfigValue } from '../../config/load.ts'
import type { Listener } from '../../core/dialer.ts'
import { silentLogger } from '../../core/env.ts'
import { fakeClock, fakeRandom } from '../../testing/fakes.ts'
import { countingIds, Flows } from '../flow/flows.ts'
import { LiveUsers } from '../users/live-users.ts'
import { Inbounds } from './inbounds.ts'

it('an inbound that is added while accepting is paused accepts when the pause ends', async () => {
  const clock = fakeClock(1_700_000_000_000)
  const open = new Set<number>()
  const base: Listener = {
    async listen(address) {
      open.add(address.port)
      return { address, close: async () => void open.delete(address.port) }
    },
  }
  const accounts = new Accounts(clock)
  const inbounds = new Inbounds({
    users: new LiveUsers(accounts, new Flows({ clock, accounts, nextId: countingIds() })),
    build: (config) => ({ config, handler: { serve: async () => {} }, base, layers: [], files: [] }),
    host: () => ({
      env: { clock, random: fakeRandom(1), log: silentLogger },
      accept: () => {},
      listening: () => {},
    }),
  })
  const socks = (port: number) =>
    loadConfigValue({ inbounds: [{ protocol: 'socks', port, listen: '127.0.0.1' }] }).config!.inbounds[0]!
  const settle = () => new Promise<void>((resolve) => setImmediate(resolve))

  inbounds.pause()
  await inbounds.add(socks(7001)).openAll()
  await settle()
  expect([...open]).toEqual([])
  inbounds.resume()
  await settle()
  expect([...open]).toEqual([7001])
  await inbounds.add(socks(7002)).openAll()
  expect([...open]).toEqual([7001, 7002])
  inbounds.closeAll()
})
