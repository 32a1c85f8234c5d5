/** How names are resolved: the words of freedom, of sockopt and of outbounds. */
import { type DomainStrategy, domainStrategies } from '../../core/domain-strategy.ts'
import type { Context } from '../context.ts'
import { oneOf } from '../expected.ts'
import { openWord } from '../fields.ts'
import { type Place, shorten } from '../report.ts'
import { didYouMean } from '../suggest.ts'

export const strategyField = (description: string) => openWord(domainStrategies, description)

/** V2Ray writes the same words in several ways: `UseIPv4`, `useip4`, `use_ip_v4`. */
const plain = (text: string): string => text.toLowerCase().replaceAll(/[_-]/g, '').replaceAll('ipv', 'ip')

/**
 * Undefined when nothing was written, and for an unknown word, which is reported: as an error, as with Xray, or `lenient`, where
 * V2Ray has the field too and takes such a word for AsIs without a sound.
 */
export function readStrategy(
  written: string | undefined,
  place: Place,
  { report }: Context,
  lenient?: 'lenient',
): DomainStrategy | undefined {
  if (!written) return undefined
  const found = domainStrategies.find((name) => plain(name) === plain(written))
  if (!found) {
    const message = `found ${JSON.stringify(shorten(written))}, expected ${oneOf(domainStrategies)}`
    const hint = didYouMean(written, domainStrategies)
    if (lenient) report.warn('CFG026', place, `${message}: AsIs is used, as in V2Ray`, hint)
    else report.error('CFG025', place, message, hint)
  }
  return found
}
