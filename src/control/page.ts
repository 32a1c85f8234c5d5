/** Lists in pages, in the order of a key that every item has for itself: what comes or goes meanwhile shifts nothing. */
import type { Clock } from '../core/env.ts'
import { limits } from '../core/limits.ts'
import { inSlices } from '../core/time/slices.ts'

export interface PageQuery<Key> {
  /** Only what comes after this key: `next` of the page before. */
  readonly after?: Key | undefined
  /** Items at the most; 1 to `limits.controlPage`, the default. */
  readonly limit?: number | undefined
}

export interface Page<Item, Key> {
  readonly items: readonly Item[]
  /** Where the next page begins; absent on the last. */
  readonly next?: Key
}

/** The keys and things of one page out of all, in slices. */
export async function pageOf<T, Key extends string | number>(
  clock: Clock,
  all: Iterable<readonly [key: Key, thing: T]>,
  { after, limit = limits.controlPage }: PageQuery<Key>,
): Promise<Page<T, Key>> {
  const wanted = Math.max(1, Math.min(limits.controlPage, limit))
  let found: (readonly [Key, T])[] = []
  /** With more than enough found, what comes after this one is of no interest. */
  let last: Key | undefined
  const cut = (): void => {
    found.sort(([a], [b]) => (a < b ? -1 : 1))
    found = found.slice(0, wanted + 1)
    if (found.length > wanted) last = found.at(-1)![0]
  }
  await inSlices(clock, all, (entry) => {
    const [key] = entry
    if ((after !== undefined && key <= after) || (last !== undefined && key >= last)) return
    found.push(entry)
    if (found.length >= 2 * (wanted + 1)) cut()
  })
  cut()
  const shown = found.slice(0, wanted)
  const more = found.length > wanted && shown.at(-1)
  return { items: shown.map(([, thing]) => thing), ...(more && { next: more[0] }) }
}
