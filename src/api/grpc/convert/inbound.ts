/** An InboundHandlerConfig of either family as an entry of `inbounds`; the loader says what is wrong with it. */
import { lookUp } from '../../../core/lookup.ts'
import type { Fields, Typed } from '../fields.ts'
import { invalid, unavailable } from '../status.ts'
import { streamJson } from './stream.ts'
import { accountsOf, given, hostOf, wordOf } from './values.ts'
import { vmessInboundJson } from './vmess.ts'

interface Proxy {
  readonly protocol: string
  readonly settings: object
}

const proxies: Readonly<Record<string, (typed: Typed) => Proxy>> = {
  'proxy.vmess.inbound.Config': (typed) => ({ protocol: 'vmess', settings: vmessInboundJson(typed) }),
  // Xray serves HTTP by its SOCKS inbound too, and calls it mixed or socks alike.
  'proxy.socks.ServerConfig': ({ family, fields }) => ({
    protocol: family === 'xray' ? 'mixed' : 'socks',
    settings: given({
      auth: wordOf(fields, 'auth_type', ['noauth', 'password']),
      accounts: accountsOf(fields),
      ip: hostOf(fields.message('address')),
      udp: fields.flag('udp_enabled'),
      timeout: fields.number('timeout'),
      userLevel: fields.number('user_level'),
    }),
  }),
  'proxy.http.ServerConfig': ({ fields }) => ({
    protocol: 'http',
    settings: given({
      accounts: accountsOf(fields),
      allowTransparent: fields.flag('allow_transparent'),
      timeout: fields.number('timeout'),
      userLevel: fields.number('user_level'),
    }),
  }),
  'proxy.dokodemo.Config': ({ fields }) => ({
    protocol: 'dokodemo-door',
    settings: given({
      address: hostOf(fields.message('address')),
      port: fields.number('port'),
      network: networksOf(fields),
      portMap: Object.fromEntries(fields.entries('port_map')),
      followRedirect: fields.flag('follow_redirect'),
      timeout: fields.number('timeout'),
      userLevel: fields.number('user_level'),
    }),
  }),
}

/** @throws StatusError for what has no place in the JSON form */
export function inboundJson(inbound: Fields): { tag: string } {
  const tag = inbound.text('tag')
  const proxy = inbound.mustHaveTyped('proxy_settings')
  const receiver = inbound.mustHaveTyped('receiver_settings')
  const convert = lookUp(proxies, proxy.name)
  if (!convert) throw unavailable(`"${proxy.type}" as an inbound`)
  if (receiver.name !== 'app.proxyman.ReceiverConfig') throw invalid(`"${receiver.type}" is not a ReceiverConfig`)
  const json = { tag, ...convert(proxy), ...receiverJson(receiver) }
  inbound.end()
  return json
}

function receiverJson({ fields, family }: Typed): object {
  const ranges = family === 'xray' ? fields.message('port_list')?.messages('range') : [fields.message('port_range')]
  const sniffing = fields.message('sniffing_settings')
  const allocation = fields.message('allocation_strategy')
  return given({
    port: (ranges ?? []).flatMap((range) => (range ? [rangeText(range)] : [])).join(','),
    listen: hostOf(fields.message('listen')),
    streamSettings: streamJson(fields.message('stream_settings'), family),
    domainOverride: fields.values<number>('domain_override').map((known) => (known === 0 ? 'http' : 'tls')),
    sniffing:
      sniffing &&
      given({
        enabled: sniffing.flag('enabled'),
        destOverride: sniffing.values<string>('destination_override'),
        metadataOnly: sniffing.flag('metadata_only'),
        routeOnly: sniffing.flag('route_only'),
      }),
    allocate:
      allocation &&
      given({
        strategy: wordOf(allocation, 'type', ['always', 'random', 'external']),
        concurrency: allocation.message('concurrency')?.number('value'),
        refresh: allocation.message('refresh')?.number('value'),
      }),
  })
}

function rangeText(range: Fields): string {
  const from = range.number('From')
  const to = range.number('To')
  return from === to ? String(from) : `${from}-${to}`
}

const networks: Readonly<Record<number, string>> = { 1: 'tcp', 2: 'tcp', 3: 'udp', 4: 'unix' }

function networksOf(fields: Fields): string {
  const newer = fields.values<number>('networks')
  const older = fields.message('network_list')?.values<number>('network') ?? []
  const numbers = newer.length > 0 ? newer : older
  return numbers.map((number) => networks[number] ?? `network ${number}`).join(',')
}
