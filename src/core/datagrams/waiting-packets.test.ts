import { expect, it } from 'vitest'
import { WaitingPackets } from './waiting-packets.ts'

const sized = (length: number, value: number) => new Uint8Array(length).fill(value)

function held(waiting: WaitingPackets<string>): string[] {
  const all: string[] = []
  waiting.release((bytes, about) => all.push(`${bytes.length} ${about}`))
  return all
}

it('keeps copies of the latest, and says how many had to go', () => {
  const waiting = new WaitingPackets<string>(2)
  const lent = sized(3, 1)
  expect([waiting.add(lent, 'a'), waiting.add(sized(4, 2), 'b'), waiting.add(sized(5, 3), 'c')]).toEqual([0, 0, 1])
  lent.fill(9)
  expect(held(waiting)).toEqual(['4 b', '5 c'])
  expect(held(waiting)).toEqual([])
})

it('holds no more bytes than it may, and takes none that alone is more', () => {
  const waiting = new WaitingPackets<string>(10, 100)
  for (const name of ['a', 'b', 'c']) expect(waiting.add(sized(30, 0), name)).toBe(0)
  expect(waiting.add(sized(50, 0), 'd')).toBe(2)
  expect(waiting.add(sized(101, 0), 'e')).toBe(1)
  expect(waiting.drop()).toBe(2)
  expect(waiting.add(sized(100, 0), 'f')).toBe(0)
  expect(held(waiting)).toEqual(['100 f'])
})
