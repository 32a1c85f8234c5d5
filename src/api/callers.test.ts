import { describe, expect, it } from 'vitest'
import { fakeClock } from '../testing/fakes.ts'
import { Callers } from './callers.ts'

class Visitor {
  destroyed = false
  destroy(): void {
    this.destroyed = true
  }
}

function house(max: number) {
  const clock = fakeClock(0)
  const callers = new Callers<Visitor>({ clock, max, silenceMs: 10_000 })
  const come = (): Visitor => {
    const visitor = new Visitor()
    callers.enter(visitor)
    return visitor
  }
  return { clock, callers, come }
}

const gone = (visitors: readonly Visitor[]) => visitors.map(({ destroyed }) => destroyed)

describe('the connections to an API', () => {
  it('have so long for their first call', () => {
    const { clock, callers, come } = house(8)
    const [silent, talking] = [come(), come()]
    clock.advance(9_999)
    callers.begin(talking)
    callers.end(talking)
    expect(gone([silent, talking])).toEqual([false, false])
    clock.advance(1)
    expect(gone([silent, talking])).toEqual([true, false])
    expect(callers.size).toBe(1)
    clock.advance(1_000_000)
    expect(talking.destroyed).toBe(false)
  })

  it('make room from the oldest silent one on, before anybody who has called', () => {
    const { callers, come } = house(3)
    const known = come()
    callers.begin(known)
    callers.know(known)
    callers.end(known)
    const strangers = [come(), come()]
    const third = come()
    expect(gone([known, ...strangers, third])).toEqual([false, true, false, false])
    const fourth = come()
    expect(gone([known, ...strangers, third, fourth])).toEqual([false, true, true, false, false])
    expect(callers.size).toBe(3)
  })

  it('make room from those who never said a word, before one that began to speak', () => {
    const { callers, come } = house(2)
    const [speaking, silent] = [come(), come()]
    callers.hear(speaking)
    const next = come()
    expect(gone([speaking, silent, next])).toEqual([false, true, false])
  })

  it('are silent however busy they look, until they have shown that they are callers', () => {
    const { callers, come } = house(2)
    const [slow, slower] = [come(), come()]
    callers.begin(slower)
    callers.begin(slow)
    const next = come()
    expect(gone([slow, slower, next])).toEqual([false, true, false])
  })

  it('among callers the one goes that waits for nothing and was used longest ago; busy ones stay', () => {
    const { callers, come } = house(3)
    const all = [come(), come(), come()] as const
    for (const caller of all) {
      callers.begin(caller)
      callers.know(caller)
    }
    for (const caller of [all[1], all[2]]) callers.end(caller)
    callers.begin(all[1])
    callers.end(all[1])
    const next = come()
    expect(gone([...all, next])).toEqual([false, false, true, false])
  })

  it('refuse whoever comes only when all are busy', () => {
    const { callers, come } = house(1)
    const busy = come()
    callers.begin(busy)
    callers.know(busy)
    const next = come()
    expect(gone([busy, next])).toEqual([false, true])
    callers.end(busy)
    expect(gone([come(), busy])).toEqual([false, true])
  })

  it('leave no timer behind', () => {
    const { clock, callers, come } = house(4)
    const visitors = [come(), come()]
    for (const visitor of visitors) callers.leave(visitor)
    expect(clock.pending).toBe(0)
  })
})
