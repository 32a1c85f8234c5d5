import { expect, it } from 'vitest'
import { Slots } from './slots.ts'
import { UsedTraffic, usedTrafficStride } from './used-traffic.ts'

const threads = 3

function rig() {
  const slots = new Slots(usedTrafficStride(threads))
  const slot = slots.take()
  const of = (slot: number) => Array.from({ length: threads }, (_, who) => new UsedTraffic(slots.viewOf(slot), who))
  return { slots, slot, of }
}

it('is what all threads have added, and set to what is said', () => {
  const { slot, of } = rig()
  const [main, first, second] = of(slot)
  expect(main!.spend('uplink', 10)).toBe(10)
  first!.add('downlink', 5)
  expect(second!.spend('downlink', 7)).toBe(22)
  expect({ ...main!.totals }).toEqual({ uplink: 10, downlink: 12 })
  main!.totals.uplink = 0
  main!.totals.downlink = 0
  expect(first!.spend('uplink', 1)).toBe(1)
})

it('whoever still counts when the memory is given back counts for itself', () => {
  const { slots, slot, of } = rig()
  const [, before] = of(slot)
  before!.spend('uplink', 100)
  before!.detach()
  slots.giveBack(slot)
  expect(slots.take()).toBe(slot)
  const [after] = of(slot)
  expect(before!.spend('uplink', 1)).toBe(101)
  expect({ ...after!.totals }).toEqual({ uplink: 0, downlink: 0 })
  expect(after!.spend('uplink', 2)).toBe(2)
})
