import { expect, it } from 'vitest'
import { ForgetfulMap } from './forgetful-map.ts'

it('keeps what was entered last, and never more than its capacity', () => {
  const map = new ForgetfulMap<number, string>(10)
  for (let key = 0; key < 1000; key++) {
    map.set(key, `${key}`)
    expect(map.size).toBeLessThanOrEqual(10)
    for (let back = 0; back < 5 && back <= key; back++) expect(map.get(key - back)).toBe(`${key - back}`)
    expect(map.get(key - 10)).toBeUndefined()
  }
})

it('has one value for a key, and forgets it when told', () => {
  const map = new ForgetfulMap<string, number>(4)
  for (const key of ['a', 'b', 'c', 'a', 'a']) map.set(key, map.size)
  expect(map.size).toBe(3)
  expect(map.get('a')).toBe(3)
  map.delete('a')
  map.delete('b')
  expect([map.size, map.get('a'), map.get('b'), map.get('c')]).toEqual([1, undefined, undefined, 2])
})
