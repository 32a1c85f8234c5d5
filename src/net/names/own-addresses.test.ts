import { networkInterfaces } from 'node:os'
import { expect, it } from 'vitest'
import { fakeClock } from '../../testing/fakes.ts'
import { ownAddresses } from './own-addresses.ts'

it('knows the addresses of this machine, whatever it was asked before', () => {
  const clock = fakeClock(0)
  const isOwn = ownAddresses(clock)
  const mine = Object.values(networkInterfaces()).flatMap((list) => list?.map(({ address }) => address) ?? [])
  for (const advance of [0, 1, 10_000]) {
    clock.advance(advance)
    for (const host of ['127.0.0.1', '127.9.9.9', '::1', '0.0.0.0', '::', ...mine]) expect(isOwn(host)).toBe(true)
    for (const host of ['192.0.2.1', '2001:db8::1', '']) expect(isOwn(host)).toBe(false)
  }
})
