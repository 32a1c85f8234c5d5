/** From the merged tree to a Config. */
import type { Address } from '../core/address.ts'
import type { Kinds } from '../kinds/kinds.ts'
import { type Context, createContext } from '../schema/context.ts'
import { decode } from '../schema/decode.ts'
import { checkFirstUses } from '../schema/parts/shared-limits.ts'
import type { Report } from '../schema/report.ts'
import type { ObjectNode } from '../schema/tree.ts'
import type { Config, OutboundConfig, WorkersConfig } from '../settings/model.ts'
import { type ReadInbound, readInbound } from './ends/inbound.ts'
import { leaveOut, type Sorted } from './ends/left-out.ts'
import { type ReadOutbound, readOutbound } from './ends/outbound.ts'
import { checkPorts, type Endpoint } from './ends/ports.ts'
import type { StreamDefaults } from './ends/stream.ts'
import { entriesOf, oldPort, type RootInput, rootSchema } from './root.ts'
import { apiDoors } from './routing/api-rules.ts'
import { readBurst, readObservatory } from './routing/observatory.ts'
import { readRouting } from './routing/read.ts'
import type { Tags } from './routing/tags.ts'
import { checkTogether } from './rules.ts'
import { buildApi } from './sections/api.ts'
import { buildAccounting, buildControl } from './sections/control.ts'
import { readDns } from './sections/dns.ts'
import { checkDnsOutbounds } from './sections/dns-outbound.ts'
import { checkFakeUse, readFakeDns } from './sections/fakedns.ts'
import { buildLog } from './sections/log.ts'
import { buildPolicy } from './sections/policy.ts'
import { readReverse } from './sections/reverse.ts'
import { readWorkers, spread } from './sections/workers.ts'

export interface BuildOptions {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly now?: number
  readonly strict?: boolean
  readonly otherOutbounds?: readonly string[]
  readonly skipUnsupported?: boolean
  /** Instead of what the configuration says. */
  readonly workers?: WorkersConfig | undefined
  readonly kinds: Kinds
}

/** The configuration, complete where nothing was reported as an error. */
export function buildConfig(
  root: ObjectNode,
  { env, now, kinds, strict = false, otherOutbounds = [], skipUnsupported = false, workers: asked }: BuildOptions,
  report: Report,
): Config | undefined {
  const input = decode(rootSchema(kinds), root, '', report)
  if (!input) return undefined
  const context = createContext(report, { ...env, ...input.env }, now)
  const defaults: StreamDefaults = input.transport ?? {}
  if (input.transport && Object.keys(input.transport).length > 0) {
    const place = report.at(input, 'transport')
    report.warn(
      'CFG036',
      place,
      '"transport" is an old form, which Xray refuses',
      'write its parts into "streamSettings"',
    )
  }
  const port = oldPort(input, context)
  const listed = (role: 'inbound' | 'outbound'): Sorted => {
    const entries = entriesOf(input, role, context)
    return skipUnsupported ? leaveOut(entries, role, kinds, context) : { kept: entries, tags: [] }
  }
  const [clients, ways] = [listed('inbound'), listed('outbound')]
  const inbounds = clients.kept.flatMap(
    (entry, i) => readInbound(entry, defaults, i === 0 ? port : undefined, kinds, context) ?? [],
  )
  const outbounds = ways.kept.flatMap((entry) => readOutbound(entry, defaults, kinds, context) ?? [])
  const elsewhere = [...otherOutbounds, ...ways.tags, ...endTags(input.reverse?.portals)]
  checkTogether(inbounds, outbounds, elsewhere, context)
  if (outbounds.length === 0 && !ways.instead && (inbounds.length > 0 || report.wrote(input, 'outbounds'))) {
    const message = 'there is no outbound: every connection is closed'
    report.warn('CFG083', report.at(input, 'outbounds'), message, 'write "outbounds": [ { "protocol": "freedom" } ]')
  }
  const reverse = readReverse(input.reverse, [...outbounds.map(({ tag }) => tag), input.api?.tag ?? ''], context)
  const observatory = readObservatory(input.observatory, context)
  const burst = readBurst(input.burstObservatory, context)
  const observed = observatory !== undefined || burst !== undefined
  const known = tagsOf(input, inbounds, outbounds)
  const tags = { ...known, inbounds: [...known.inbounds, ...clients.tags], leftOut: ways.tags, observed, strict }
  const routing = readRouting(input.routing, tags, context)
  const toApi = apiDoors(routing?.rules ?? [], input.api?.tag || undefined)
  const dns = readDns(input.dns, context)
  const fakePools = readFakeDns(input.fakedns, dns, context)
  checkDnsOutbounds(outbounds, context)
  checkFakeUse(fakePools, inbounds, report.at(input.dns ?? input, 'servers'), context)
  const api = buildApi(input.api, toApi, inbounds, context)
  const { control, listen } = buildControl(input.control, context)
  const accounting = buildAccounting(input, context)
  checkFirstUses(inbounds, accounting !== undefined, context)
  checkPorts(inbounds, endpointsOf(input, { api: api?.listen, control: listen }, context), kinds, context)
  const ofOneThread = {
    fakePools,
    ...(reverse && { reverse }),
    ...(observatory && { observatory }),
    ...(burst && { burstObservatory: burst }),
  }
  const workers = readWorkers(asked ?? input.workers ?? 1, input, ofOneThread, context)
  const served = inbounds.flatMap(({ config }) => config ?? [])
  const kept = input.api?.tag ? withoutTag(outbounds, input.api.tag, context) : outbounds
  return {
    log: buildLog(input.log, context),
    inbounds: spread(served, workers, toApi, kinds, context, input),
    outbounds: onePerTag([...(ways.instead ? [ways.instead] : []), ...kept.flatMap(({ config }) => config ?? [])]),
    policy: buildPolicy(input, context),
    ...(dns && { dns }),
    ...ofOneThread,
    ...(routing && { routing }),
    workers,
    ...(api && { api }),
    ...(control && { control }),
    ...(accounting && { accounting }),
  }
}

/** Of several outbounds with one tag the last has it, as in V2Ray; the others keep their place, nameless. */
const onePerTag = (outbounds: readonly OutboundConfig[]): OutboundConfig[] =>
  outbounds.map((config, i) => {
    const again = config.tag !== '' && outbounds.some(({ tag }, k) => k > i && tag === config.tag)
    return again ? { ...config, tag: '' } : config
  })

/** Where the APIs listen by themselves. */
const endpointsOf = (
  input: RootInput,
  addresses: Readonly<Record<'api' | 'control', Address | undefined>>,
  { report }: Context,
): Endpoint[] =>
  (['api', 'control'] as const).flatMap((name) => {
    const address = addresses[name]
    return address ? { name, address, place: report.at(input[name]!, 'listen') } : []
  })

/** The API takes the place of an outbound with its tag; in V2Ray and Xray too, where nobody says so. */
function withoutTag(outbounds: readonly ReadOutbound[], api: string, { report }: Context): readonly ReadOutbound[] {
  const taken = outbounds.find(({ tag }) => tag === api)
  if (!taken) return outbounds
  const place = report.at(taken.owner, 'tag')
  const hint = 'write another tag, here or in "api"'
  if (taken === outbounds[0]) {
    const message = 'the API has this tag, and so it would take the place of the first outbound, which is the default'
    report.error('CFG082', place, message, hint)
  } else report.warn('CFG082', place, 'the API has this tag and takes the place of this outbound', hint)
  return outbounds.filter((outbound) => outbound !== taken)
}

/** What rules may name: the API serves as an outbound, DNS queries come in under tags of their own. */
function tagsOf(
  input: RootInput,
  inbounds: readonly ReadInbound[],
  outbounds: readonly ReadOutbound[],
): Omit<Tags, 'leftOut' | 'observed' | 'strict'> {
  const servers = input.dns?.servers ?? []
  const dnsTags = [input.dns, ...servers].flatMap((entry) =>
    typeof entry === 'object' && entry.tag ? [entry.tag] : [],
  )
  const api = input.api?.tag ? [input.api.tag] : []
  const tags = (list: readonly { readonly tag: string }[]) => list.map(({ tag }) => tag)
  return {
    inbounds: [...tags(inbounds), ...dnsTags, ...api, ...reentered(outbounds), ...endTags(input.reverse?.bridges)],
    outbounds: [...tags(outbounds), ...api, ...endTags(input.reverse?.portals)],
    api: input.api?.tag || undefined,
    users: usersOf(inbounds),
    sniffs: inbounds.some(({ config }) => config?.sniffing !== undefined),
  }
}

/** A bridge is an inbound to rules, a portal an outbound. */
const endTags = (ends: readonly { readonly tag?: string | undefined }[] = []): string[] =>
  ends.flatMap(({ tag }) => tag || [])

/** What loopback outbounds call themselves as inbounds. */
const reentered = (outbounds: readonly ReadOutbound[]): string[] =>
  outbounds.flatMap(({ config }) => (config?.protocol === 'loopback' ? [config.settings.inboundTag] : []))

/** E-mails and names of accounts; undefined where some may come from elsewhere. */
function usersOf(inbounds: readonly ReadInbound[]): readonly string[] | undefined {
  if (inbounds.some(({ config }) => config === undefined)) return undefined
  return inbounds.flatMap(({ config }) => {
    if (config?.protocol === 'vmess') return config.settings.users.map(({ email }) => email)
    const settings = config?.settings as { readonly accounts?: readonly { readonly user: string }[] } | undefined
    return settings?.accounts?.map(({ user }) => user) ?? []
  })
}
