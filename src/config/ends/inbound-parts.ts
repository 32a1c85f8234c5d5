/** Parts of an inbound: `sniffing` and `allocate`. */
import type { z } from 'zod'
import type { Context } from '../../schema/context.ts'
import { oneOf } from '../../schema/expected.ts'
import { flag, integer, object, openWord, stringList } from '../../schema/fields.ts'
import { readIpRule } from '../../schema/parts/ip-rules.ts'
import { rulePlace } from '../../schema/parts/rule-place.ts'
import { type Place, shorten } from '../../schema/report.ts'
import { didYouMean } from '../../schema/suggest.ts'
import { listOf } from '../../schema/values.ts'
import type { AllocateConfig, ListenConfig, SniffingConfig } from '../../settings/model.ts'
import { readDomainRule } from '../routing/names.ts'

export const sniffingSchema = object(() => ({
  enabled: flag(
    'Look at the first bytes of a stream or session, for up to 200 ms, for what it is and the name of its target. Default: false.',
  ),
  destOverride: stringList(
    'Protocols whose name replaces the target: http, tls, quic, fakedns. Without any, rules see the protocol, and that is all.',
  ),
  metadataOnly: flag('Do not look at bytes.'),
  routeOnly: flag('Use the name for rules only: the flow goes where the client asked.'),
  domainsExcluded: stringList('Names that do not replace the target.'),
  ipsExcluded: stringList('Targets that are not replaced.'),
})).describe('Finds out the name of the target.')

const sniffable = ['http', 'tls', 'https', 'ssl', 'quic', 'fakedns', 'fakedns+others'] as const

/** Undefined where nothing is to be looked at. */
export function readSniffing(
  input: z.output<typeof sniffingSchema> | undefined,
  old: readonly string[] | string | undefined,
  oldPlace: Place,
  context: Context,
): SniffingConfig | undefined {
  const { report } = context
  if (input?.destOverride) checkNames(listOf(input.destOverride), report.at(input, 'destOverride'), context)
  // Settings beside an explicit false are switched off on purpose; without the key it may have been forgotten.
  if (input && !report.wrote(input, 'enabled')) {
    for (const key of Object.keys(input)) {
      report.warn('CFG030', report.at(input, key), `"${key}" has no effect without "enabled": true`)
    }
  }
  if (old) {
    checkNames(listOf(old), oldPlace, context)
    report.warn('CFG036', oldPlace, '"domainOverride" is the old form of "sniffing", which Xray ignores')
  }
  if (input?.enabled) {
    const excluded = readExcluded(input, context)
    return {
      override: listOf(input.destOverride ?? []).map(overrideWord),
      metadataOnly: input.metadataOnly ?? false,
      routeOnly: input.routeOnly ?? false,
      ...(excluded && { excluded }),
    }
  }
  if (input || !old) return undefined
  return { override: listOf(old).map(overrideWord), metadataOnly: false, routeOnly: false }
}

function readExcluded(input: z.output<typeof sniffingSchema>, context: Context): SniffingConfig['excluded'] {
  const { report } = context
  const [names, addresses] = [listOf(input.domainsExcluded), listOf(input.ipsExcluded)]
  if (names.length + addresses.length === 0) return undefined
  const domains = names.flatMap((text) => readDomainRule(text, report.at(input, 'domainsExcluded'), context) ?? [])
  const ips = addresses.flatMap((text) => readIpRule(text, report.at(input, 'ipsExcluded'), context) ?? [])
  return {
    ...rulePlace(report.at(input)),
    ...(domains.length > 0 && { domains }),
    ...(ips.length > 0 && { ips }),
  }
}

/** V2Ray has three words for TLS. */
function overrideWord(name: string): string {
  const word = name.trim().toLowerCase()
  return word === 'https' || word === 'ssl' ? 'tls' : word
}

function checkNames(names: readonly string[], place: Place, { report }: Context): void {
  for (const name of names) {
    const word = name.trim().toLowerCase()
    if ((sniffable as readonly string[]).includes(word)) continue
    report.error(
      'CFG025',
      place,
      `found ${JSON.stringify(shorten(name))}, expected ${oneOf(sniffable)}`,
      didYouMean(word, sniffable),
    )
  }
}

const strategies = ['always', 'random'] as const

export const allocateSchema = object(() => ({
  strategy: openWord(strategies, 'always: all ports of the range; random: some, changing.'),
  refresh: integer(0, 4294967295, 'Minutes until other ports are opened. Default: 5.'),
  concurrency: integer(0, 4294967295, 'How many random ports are opened each time, for two periods. Default: 3.'),
})).describe('Dynamic ports.')

interface AllocateOwner {
  readonly allocate?: z.output<typeof allocateSchema> | undefined
}

/** Undefined when all ports of the range are to be open, and after an error. */
export function readAllocate(
  owner: AllocateOwner & object,
  listen: readonly ListenConfig[] | undefined,
  { report }: Context,
): AllocateConfig | undefined {
  const input = owner.allocate
  if (!input) return undefined
  if (listen?.some(({ address }) => address.path !== undefined)) {
    report.warn('CFG030', report.at(owner, 'allocate'), '"allocate" has no effect: a unix socket has no ports')
    return undefined
  }
  const word = input.strategy?.toLowerCase()
  const place = report.at(input, 'strategy')
  if (word === undefined) {
    if (!report.wrote(input, 'strategy'))
      report.error('CFG024', place, `"allocate" has no "strategy"; expected ${oneOf(strategies)}`)
    return undefined
  }
  if (!(strategies as readonly string[]).includes(word)) {
    const known = word === 'external' ? ' (V2Ray reserves the name and refuses it)' : ''
    const message = `found ${JSON.stringify(shorten(input.strategy!))}${known}, expected ${oneOf(strategies)}`
    report.error('CFG025', place, message, didYouMean(word, strategies))
    return undefined
  }
  if (word === 'always') return undefined
  const { refresh = 5, concurrency = 3 } = input
  if (refresh === 0) {
    const message = 'found 0, expected 1 or more minutes; 2 is the least that is documented'
    report.error('CFG023', report.at(input, 'refresh'), message)
  }
  if (refresh === 1)
    report.warn(
      'CFG023',
      report.at(input, 'refresh'),
      'found 1; ports that change every minute cut clients off, 2 is the least that is documented',
    )
  if (concurrency === 0)
    report.error('CFG023', report.at(input, 'concurrency'), 'found 0, expected at least one open port')
  const ports = listen?.length
  if (ports !== undefined && 2 * concurrency > ports) {
    const room = ports === 1 ? 'only one port' : `only ${ports} ports`
    const message = `${concurrency} random ports overlap with the next ${concurrency}, but the range has ${room}`
    report.error('CFG088', report.at(input, 'concurrency'), message, 'write a wider range in "port"')
  } else if (ports !== undefined && 3 * concurrency > ports) {
    const message = `${concurrency} random ports are more than a third of the ${ports} ports of the range`
    report.warn('CFG088', report.at(input, 'concurrency'), message)
  }
  return { refreshMinutes: refresh, concurrency }
}
