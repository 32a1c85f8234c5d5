/** `reverse`: bridges and portals. */
import { z } from 'zod'
import { parseHost } from '../../core/address.ts'
import type { Context } from '../../schema/context.ts'
import { noted, object, text } from '../../schema/fields.ts'
import { shorten } from '../../schema/report.ts'
import { readHost } from '../../schema/values.ts'
import type { ReverseConfig, ReverseEnd } from '../../settings/reverse.ts'

const domain = noted(z.string().describe('A name that bridge and portal share; it need not exist. Required.'), {
  expected: 'a domain name, in double quotes',
})

const bridge = object(() => ({
  tag: text('What rules see as the inbound of its flows: those to the portal, and those that come back. Required.'),
  domain,
})).describe('The inner end: what it opens to the domain is to be led to the portal, by a rule.')

const portal = object(() => ({
  tag: text('Its tag as an outbound. Required.'),
  domain,
})).describe('The outer end: streams to the domain, which a rule leads here, are bridges; others go back through them.')

export const reverseSchema = object(() => ({
  bridges: z.array(bridge).describe('Inner ends.'),
  portals: z.array(portal).describe('Outer ends.'),
})).describe('Reverse proxy: servers that nobody can dial, reached through connections that they open.')

export type ReverseInput = z.output<typeof reverseSchema>
type EndInput = z.output<typeof bridge>

/** Undefined where it asks for nothing. `outbounds`: tags that portals cannot have. */
export function readReverse(
  input: ReverseInput | undefined,
  outbounds: readonly string[],
  context: Context,
): ReverseConfig | undefined {
  const { bridges = [], portals = [] } = input ?? {}
  if (bridges.length === 0 && portals.length === 0) return undefined
  const named = (kind: 'bridge' | 'portal', list: readonly EndInput[]) =>
    list.flatMap((end) => readEnd(end, kind, context) ?? [])
  const read = { bridges: named('bridge', bridges), portals: named('portal', portals) }
  checkTags(portals, outbounds, 'an outbound', context)
  checkTags(bridges, [], 'a bridge', context)
  return read
}

function readEnd(end: EndInput, kind: 'bridge' | 'portal', context: Context): ReverseEnd | undefined {
  const { report } = context
  for (const key of ['tag', 'domain'] as const) {
    if (end[key] || (report.wrote(end, key) && end[key] === undefined)) continue
    report.error('CFG024', report.at(end, key), `this ${kind} has no "${key}"`)
  }
  const place = report.at(end, 'domain')
  const name = end.domain ? readHost(end.domain, place, context) : undefined
  if (name === undefined || !end.tag) return undefined
  if (parseHost(name).kind === 'domain') return { tag: end.tag, domain: name }
  const found = `found ${JSON.stringify(shorten(name))}, expected a domain name`
  report.error('CFG028', place, found, 'write any name that nothing else uses, such as "reverse.example.com"')
  return undefined
}

function checkTags(ends: readonly EndInput[], taken: readonly string[], what: string, { report }: Context): void {
  const seen = new Set(taken)
  for (const end of ends) {
    if (!end.tag) continue
    const message = `there is ${what} with the tag ${JSON.stringify(shorten(end.tag))} already`
    if (seen.has(end.tag)) {
      report.error('CFG082', report.at(end, 'tag'), message, 'write another tag')
    }
    seen.add(end.tag)
  }
}
