import { describe, expect, it } from 'vitest'
import { fakeClock, fakeRandom } from './fakes.ts'

describe('fakeClock', () => {
  it('stands still until it is moved', () => {
    const clock = fakeClock(1000)
    expect(clock.now()).toBe(1000)
    clock.advance(5)
    expect(clock.now()).toBe(1005)
    clock.set(3)
    expect(clock.now()).toBe(3)
  })

  it('runs what falls due, in order, at its own time, also what is added on the way', () => {
    const clock = fakeClock(0)
    const log: string[] = []
    const note = (name: string) => () => void log.push(`${name} ${clock.now()}`)
    clock.after(30, note('c'))
    clock.after(10, note('a'))
    clock.after(10, () => {
      note('b')()
      clock.after(5, note('added'))
    })
    const cancel = clock.after(20, note('cancelled'))
    clock.after(31, note('late'))
    cancel()
    clock.advance(30)
    expect(log).toEqual(['a 10', 'b 10', 'added 15', 'c 30'])
    expect(clock.pending).toBe(1)
    clock.advance(1)
    expect(log.at(-1)).toBe('late 31')
    expect(clock.pending).toBe(0)
  })
})

describe('fakeRandom', () => {
  it('repeats itself for a seed and differs between seeds', () => {
    const draw = (seed: number) => Buffer.from(fakeRandom(seed).fill(new Uint8Array(33))).toString('hex')
    expect(draw(5)).toBe(draw(5))
    expect(new Set([0, 1, 2, 3, 4, 5].map(draw)).size).toBe(6)
  })

  it('draws every number below the limit, and none else', () => {
    const random = fakeRandom(0)
    const seen = new Set<number>()
    for (let i = 0; i < 1000; i++) seen.add(random.below(7))
    expect([...seen].sort()).toEqual([0, 1, 2, 3, 4, 5, 6])
  })
})
