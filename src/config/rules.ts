/** Rules between several inbounds and outbounds. */
import { isLoopback } from '../core/address.ts'
import type { Context } from '../schema/context.ts'
import { checkSharedLimits } from '../schema/parts/shared-limits.ts'
import { type Place, shorten } from '../schema/report.ts'
import type { InboundConfig } from '../settings/model.ts'
import type { ReadInbound } from './ends/inbound.ts'
import type { ReadOutbound } from './ends/outbound.ts'
import { tagHint } from './routing/tags.ts'

export function checkTogether(
  inbounds: readonly ReadInbound[],
  outbounds: readonly ReadOutbound[],
  elsewhere: readonly string[],
  context: Context,
): void {
  checkTags(inbounds, 'inbound', context)
  checkTags(outbounds, 'outbound', context)
  checkDetours(inbounds, context)
  checkSharedLimits(inbounds, context)
  checkLoops(inbounds, outbounds, context)
  checkChains(outbounds, elsewhere, context)
}

function checkTags(
  entries: readonly { owner: object; tag: string }[],
  role: 'inbound' | 'outbound',
  { report }: Context,
): void {
  const seen = new Map<string, Place>()
  for (const { owner, tag } of entries) {
    if (tag === '') continue
    const place = report.at(owner, 'tag')
    const first = seen.get(tag)
    if (!first) {
      seen.set(tag, place)
      continue
    }
    const message = `the tag ${JSON.stringify(shorten(tag))} already belongs to ${first.path.replace(/\.tag$/, '')}`
    const meaning = role === 'outbound' ? ': rules and APIs find the last one' : ': rules take both for one'
    const hint = `give every ${role} a tag of its own, or none: Xray refuses this`
    report.warn('CFG082', place, `${message}${meaning}, as in V2Ray`, hint)
  }
}

type VmessInbound = Extract<InboundConfig, { protocol: 'vmess' }>

const vmessOf = ({ config }: ReadInbound): VmessInbound | undefined =>
  config?.protocol === 'vmess' ? config : undefined

const vmessTags = (inbounds: readonly ReadInbound[]): string[] =>
  inbounds.filter(({ protocol }) => protocol === 'vmess').map(({ tag }) => tag)

function checkDetours(inbounds: readonly ReadInbound[], context: Context): void {
  const { report } = context
  const targets = new Set<string>()
  for (const inbound of inbounds) {
    const to = vmessOf(inbound)?.settings.detourTo
    if (to === undefined) continue
    const place = detourPlace(inbound, context)
    if (to === inbound.tag) {
      const message = 'this detour leads to its own inbound: clients stay on it'
      const others = vmessTags(inbounds).filter((tag) => tag !== to)
      report.warn('CFG074', place, message, tagHint(to, others) ?? 'write the tag of another vmess inbound')
      continue
    }
    targets.add(to)
    checkDetour(to, place, inbounds, context)
  }
  for (const inbound of inbounds) {
    const config = vmessOf(inbound)
    if (!config || !inbound.settings || targets.has(config.tag)) continue
    const { settings } = inbound
    if (report.wrote(settings, 'default')) {
      const message = '"default" is for users that a detour creates, and no detour leads here'
      report.info('CFG065', report.at(settings, 'default'), message, 'users in "clients" have their own fields')
    }
    const key = report.wrote(settings, 'users') && !report.wrote(settings, 'clients') ? 'users' : 'clients'
    if (config.settings.users.length === 0) {
      const message = 'this vmess inbound has no users, and no detour leads here: nobody can connect'
      report.warn('CFG066', report.at(settings, key), message, 'write "clients": [ { "id": "…" } ]')
    }
  }
}

/** The detour may stand in its old place. */
function detourPlace({ settings }: ReadInbound, { report }: Context): Place {
  const input = settings as { readonly detour?: object; readonly features?: { readonly detour?: object } }
  return report.at(input.detour ?? input.features?.detour ?? input, 'to')
}

function checkDetour(to: string, place: Place, inbounds: readonly ReadInbound[], { report }: Context): void {
  const target = inbounds.find(({ tag }) => tag === to)
  const tags = vmessTags(inbounds)
  const shown = JSON.stringify(shorten(to))
  if (!target) {
    report.warn('CFG062', place, `no inbound has the tag ${shown}: clients stay on this inbound`, tagHint(to, tags))
  } else if (target.protocol !== 'vmess') {
    report.warn('CFG063', place, `the inbound ${shown} is not vmess: clients stay on this inbound`, tagHint(to, tags))
  } else if (vmessOf(target)?.settings.disableInsecureEncryption) {
    const message =
      '"disableInsecureEncryption" locks stock V2Ray clients out here: they use aes-128-cfb after a detour'
    report.warn('CFG064', report.at(target.settings!, 'disableInsecureEncryption'), message)
  }
}

function checkLoops(inbounds: readonly ReadInbound[], outbounds: readonly ReadOutbound[], { report }: Context): void {
  for (const { config, owner } of outbounds) {
    if (config?.protocol !== 'vmess') continue
    for (const { address } of config.settings.servers) {
      if (!isLoopback(address)) continue
      const target = inbounds.find((inbound) => inbound.config?.listen.some((at) => reaches(address, at.address)))
      if (!target) continue
      const name =
        target.tag === '' ? target.config!.at : `${target.config!.at} (${JSON.stringify(shorten(target.tag))})`
      const message = `this outbound leads to port ${address.port} of this machine, which is ${name} of the same file: connections would go round in circles`
      report.warn('CFG085', report.at(owner, 'settings'), message, 'write the address of the other machine')
    }
  }
}

function reaches(to: { host: string; port: number }, at: InboundConfig['listen'][number]['address']): boolean {
  return at.path === undefined && at.port === to.port && (at.host === '::' || isLoopback(at))
}

/** Chains must lead to an outbound that exists, and end. `elsewhere`: tags of outbounds that others have made. */
function checkChains(outbounds: readonly ReadOutbound[], elsewhere: readonly string[], { report }: Context): void {
  const byTag = new Map(outbounds.map((outbound) => [outbound.tag, outbound]))
  const next = ({ chain }: ReadOutbound) => (chain ? byTag.get(chain.through.tag) : undefined)
  const told = new Set<ReadOutbound>()
  for (const outbound of outbounds) {
    const { chain } = outbound
    if (!chain) continue
    const { tag } = chain.through
    if (!byTag.has(tag) && !elsewhere.includes(tag)) {
      const message = `no outbound has the tag ${JSON.stringify(shorten(tag))}`
      report.error('CFG121', chain.place, message, tagHint(tag, [...byTag.keys(), ...elsewhere]))
      continue
    }
    const ring = [outbound]
    for (let on = next(outbound); on && on !== outbound; on = next(on)) {
      if (ring.includes(on)) break // a ring that it leads into, and is no part of
      ring.push(on)
    }
    if (next(ring.at(-1)!) !== outbound || told.has(outbound)) continue
    for (const member of ring) told.add(member)
    const names = [...ring, outbound].map((member) => JSON.stringify(shorten(member.tag)))
    report.error('CFG097', chain.place, `these outbounds lead through each other in a ring: ${names.join(' → ')}`)
  }
}
