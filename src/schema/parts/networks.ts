import type { Context } from '../context.ts'
import { type Place, shorten } from '../report.ts'
import { didYouMean } from '../suggest.ts'
import { listOf } from '../values.ts'

/** A NetworkList: `tcp` and `udp` of it in any letter case; other names match nothing, which is said. */
export function networksOf(
  value: readonly string[] | string | undefined,
  absent: readonly ('tcp' | 'udp')[],
  place: Place,
  { report }: Context,
): readonly ('tcp' | 'udp')[] {
  if (value === undefined || value === '') return absent
  const networks = new Set<'tcp' | 'udp'>()
  for (const item of listOf(value)) {
    const name = item.trim().toLowerCase()
    if (name === 'tcp' || name === 'udp') networks.add(name)
    else if (name !== 'unix') {
      const message = `found ${JSON.stringify(shorten(item))}, expected "tcp" or "udp": this name matches nothing`
      report.warn('CFG026', place, message, didYouMean(name, ['tcp', 'udp']))
    }
  }
  return [...networks]
}
