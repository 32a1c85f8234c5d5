import { describe, expect, it } from 'vitest'
import { CutOff } from './cut-off.ts'

describe('CutOff', () => {
  it('joins what was held to what was missing, whatever the pieces were', () => {
    const unit = Uint8Array.from({ length: 65_535 }, (_, i) => i * 13)
    for (const piece of [1, 2, 700, 40_000]) {
      const held = new CutOff()
      const shared = new Uint8Array(piece)
      let at = 0
      for (; at + piece < unit.length; at += piece) {
        shared.set(unit.subarray(at, at + piece))
        held.add(shared, 0)
        shared.fill(0xee)
      }
      expect(held.length).toBe(at)
      const behind = Uint8Array.of(...unit.subarray(at), 1, 2, 3)
      expect(Buffer.compare(held.join(behind, unit.length - at), unit)).toBe(0)
      expect(held.length).toBe(0)
    }
  })

  it('takes the bytes from an offset on', () => {
    const held = new CutOff()
    held.add(Uint8Array.of(9, 9, 1, 2), 2)
    held.add(Uint8Array.of(9, 3), 1)
    expect(held.length).toBe(3)
    expect([...held.join(Uint8Array.of(4, 5), 1)]).toEqual([1, 2, 3, 4])
  })

  it('starts anew when cleared', () => {
    const held = new CutOff()
    held.add(Uint8Array.of(1, 2), 0)
    held.clear()
    expect(held.length).toBe(0)
    held.add(Uint8Array.of(3), 0)
    expect([...held.join(Uint8Array.of(4), 1)]).toEqual([3, 4])
  })
})
