/** The outermost object. */
import { z } from 'zod'
import { type Kinds, perKinds } from '../kinds/kinds.ts'
import type { Context } from '../schema/context.ts'
import { anyObject, mapOf, noted, object, port, subtree, withoutEffect } from '../schema/fields.ts'
import type { Place } from '../schema/report.ts'
import type { Located } from './ends/inbound.ts'
import { burstSchema, observatorySchema } from './routing/observatory.ts'
import { routingSchema } from './routing/schema.ts'
import { apiSchema, statsSchema } from './sections/api.ts'
import { accountingSchema, controlSchema } from './sections/control.ts'
import { dnsSchema } from './sections/dns.ts'
import { fakeDnsSchema } from './sections/fakedns.ts'
import { logSchema } from './sections/log.ts'
import { policySchema } from './sections/policy.ts'
import { reverseSchema } from './sections/reverse.ts'
import { workersSchema } from './sections/workers.ts'

const old = (description: string) => `${description} Old form, which Xray ignores.`
const unsupported = <S extends z.ZodType>(schema: S) => withoutEffect(schema, 'it is not supported')

/** Streams that ask for one of these are refused, so that nobody reads their settings. */
const unavailable = (description: string) =>
  withoutEffect(anyObject(description), 'this transport is not available in this version')

/** Tokens are given in this way. */
const variable = () =>
  noted(z.string().describe('The value.'), { secret: 'password', expected: 'text in double quotes' })

const unavailableSettings = () => ({
  dsSettings: unavailable('Domain socket.'),
  quicSettings: unavailable('QUIC.'),
})

/** Under the first of their names; later ones are younger than this form. */
const availableSettings = ({ transports }: Kinds): object =>
  Object.fromEntries(transports.map(({ settingsKeys, schema }) => [Object.keys(settingsKeys)[0]!, schema]))

const transportSchema = (kinds: Kinds) =>
  object(() => ({
    ...unavailableSettings(),
    ...availableSettings(kinds),
  })).describe('Settings for streams that have none of their own. Old form, which Xray refuses.')

export const rootSchema = perKinds((kinds) =>
  object(() => ({
    log: logSchema,
    inbounds: z.array(subtree('An inbound.')).describe('Where clients connect to.'),
    outbounds: z.array(subtree('An outbound.')).describe('How targets are reached; the first is the default.'),
    routing: routingSchema,
    dns: dnsSchema,
    policy: policySchema,
    stats: statsSchema,
    api: apiSchema,
    control: controlSchema,
    accounting: accountingSchema,
    workers: workersSchema,
    env: mapOf(variable(), 'Variables for env:NAME.'),
    inbound: subtree(old('The first inbound.')),
    outbound: subtree(old('The first outbound.')),
    inboundDetour: z.array(subtree('An inbound.')).describe(old('More inbounds.')),
    outboundDetour: z.array(subtree('An outbound.')).describe(old('More outbounds.')),
    port: port(old('Port of the first inbound.')),
    transport: transportSchema(kinds),
    reverse: reverseSchema,
    fakedns: fakeDnsSchema,
    browserForwarder: unsupported(anyObject('V2Ray 4.')),
    observatory: observatorySchema,
    burstObservatory: burstSchema,
    multiObservatory: unsupported(anyObject('Measurements.')),
    services: unsupported(anyObject('V2Ray 5.')),
    metrics: unsupported(anyObject('Counters over HTTP.')),
    version: unsupported(anyObject('Versions of Xray.')),
    geodata: unsupported(anyObject('Downloads of lists.')),
    remarks: subtree('A comment.'),
  })).describe('A configuration.'),
)

export type RootInput = z.output<ReturnType<typeof rootSchema>>

const listKeys = {
  inbound: ['inbound', 'inboundDetour', 'inbounds'],
  outbound: ['outbound', 'outboundDetour', 'outbounds'],
} as const

/** All inbounds or all outbounds in their order: the old single one, the old list, the list. */
export function entriesOf(root: RootInput, role: 'inbound' | 'outbound', { report }: Context): Located[] {
  const [single, detour, list] = listKeys[role]
  const entries: Located[] = []
  for (const key of [single, detour] as const) {
    if (root[key] === undefined) continue
    report.warn(
      'CFG036',
      report.at(root, key),
      `"${key}" is an old form, which Xray ignores`,
      `write it into "${list}"`,
    )
  }
  if (root[single]) entries.push({ node: root[single], path: report.at(root, single).path })
  for (const key of [detour, list] as const) {
    const nodes = root[key] ?? []
    for (const [i, node] of nodes.entries()) entries.push({ node, path: report.at(nodes, i).path })
  }
  return entries
}

/** The old port of the first inbound. */
export function oldPort(root: RootInput, { report }: Context): { value: number; place: Place } | undefined {
  if (root.port === undefined) return undefined
  const place = report.at(root, 'port')
  report.warn('CFG036', place, '"port" out here is an old form, which Xray ignores', 'write it into the inbound')
  return { value: root.port, place }
}
