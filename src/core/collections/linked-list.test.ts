import { expect, it } from 'vitest'
import { type Link, LinkedList } from './linked-list.ts'

it('gives values in their order, whichever are taken out', () => {
  const list = new LinkedList<number>()
  const links = [1, 2, 3, 4, 5].map((value) => list.push(value))
  const take = (value: number) => list.remove(links[value - 1] as Link<number>)
  take(3)
  take(5)
  const six = list.push(6)
  take(1)
  expect([list.first, list.size]).toEqual([2, 3])
  take(2)
  take(4)
  expect([list.first, list.size]).toEqual([6, 1])
  list.remove(six)
  expect([list.first, list.size]).toEqual([undefined, 0])
  list.push(7)
  expect(list.first).toBe(7)
})
