import { expect, it } from 'vitest'
import { limits } from '../core/limits.ts'
import { fakeClock } from '../testing/fakes.ts'
import { pageOf } from './page.ts'

const clock = fakeClock(0)

/** In an order of no meaning. */
const shuffled = (count: number): [number, string][] =>
  Array.from({ length: count }, (_, i) => [(i * 7919) % count, `thing ${(i * 7919) % count}`])

it('shows everything once, however large the pages are', async () => {
  for (const limit of [1, 7, 100, 250, 1000, undefined]) {
    const seen: string[] = []
    let after: number | undefined
    let pages = 0
    do {
      const { items, next }: { items: readonly string[]; next?: number } = await pageOf(clock, shuffled(250), {
        after,
        limit,
      })
      seen.push(...items)
      after = next
      pages++
    } while (after !== undefined)
    expect(seen).toEqual(Array.from({ length: 250 }, (_, i) => `thing ${i}`))
    expect(pages).toBe(Math.ceil(250 / (limit ?? 1000)))
  }
})

it('has no more than so many on a page, and goes on where something has gone', async () => {
  const many = shuffled(limits.controlPage + 5)
  const { items, next } = await pageOf(clock, many, { limit: 1e9 })
  expect(items).toHaveLength(limits.controlPage)
  const rest = many.filter(([key]) => key !== next)
  expect((await pageOf(clock, rest, { after: next })).items).toHaveLength(5)
  expect(await pageOf(clock, [], {})).toEqual({ items: [] })
})
