/** Rules and balancers out of the messages of both families, and of both ages of Xray. */
import { formatHost, hostFromIP } from '../../core/address.ts'
import type { Fields } from '../../messages/fields.ts'
import { StatusError } from '../../messages/status.ts'
import type { BalancerConfig, BalancerStrategy, DomainRule, IpRule, RoutingRule } from '../../settings/routing.ts'
import { type WireField, wireFields } from './wire.ts'

export const unknown = (text: string): StatusError => new StatusError('UNKNOWN', text)

const malformed = () => unknown('proto: cannot parse invalid wire-format data')

/** @throws StatusError */
export function ruleOf(message: Fields): RoutingRule {
  const domains = message.values<Uint8Array>('domain').map(domainOf)
  const lists = { ips: ipsOf(message, 'ip'), sources: ipsOf(message, 'source_ip'), locals: ipsOf(message, 'local_ip') }
  const networks = message.values<number>('networks').flatMap((n) => networkOf[n] ?? [])
  const users = message.values<string>('user_email')
  const [inboundTags, protocols] = [message.values<string>('inbound_tag'), message.values<string>('protocol')]
  const attributes = message.entries('attributes')
  const [ports, sourcePorts, localPorts] = [
    portsOf(message, 'port_list'),
    portsOf(message, 'source_port_list'),
    portsOf(message, 'local_port_list'),
  ]
  const [outboundTag, balancerTag, ruleTag] = [
    message.text('tag'),
    message.text('balancing_tag'),
    message.text('rule_tag'),
  ]
  const conditions = {
    ...(domains.length > 0 && { domains }),
    ...(lists.ips.length > 0 && { ips: lists.ips }),
    ...(lists.sources.length > 0 && { sources: lists.sources }),
    ...(lists.locals.length > 0 && { locals: lists.locals }),
    ...(ports && { ports }),
    ...(sourcePorts && { sourcePorts }),
    ...(localPorts && { localPorts }),
    ...(networks.length > 0 && { networks }),
    ...(users.length > 0 && { users: users.map(userOf) }),
    ...(inboundTags.length > 0 && { inboundTags }),
    ...(protocols.length > 0 && { protocols }),
    ...(attributes.length > 0 && {
      attributes: { kind: 'headers' as const, headers: Object.fromEntries(attributes) },
    }),
  }
  if (Object.keys(conditions).length === 0) throw unknown('app/router: this rule has no effective fields')
  return {
    at: '',
    ruleTag,
    ...(outboundTag ? { outboundTag } : balancerTag ? { balancerTag } : {}),
    ...conditions,
  }
}

const networkOf: Readonly<Record<number, 'tcp' | 'udp'>> = { 1: 'tcp', 2: 'tcp', 3: 'udp' }

const userOf = (value: string) =>
  value.startsWith('regexp:') && value.length > 7
    ? { kind: 'regexp' as const, value: value.slice(7) }
    : { kind: 'full' as const, value }

function portsOf(message: Fields, name: string): { from: number; to: number }[] | undefined {
  const list = message.message(name)
  return list?.messages('range').map((range) => ({ from: range.number('From'), to: range.number('To') }))
}

/** Fields of a nested message. */
function parts(bytes: Uint8Array): WireField[] {
  try {
    return [...wireFields(bytes)]
  } catch {
    throw malformed()
  }
}

const bytesOf = (fields: readonly WireField[], number: number): Uint8Array | undefined =>
  fields.findLast((field) => field.number === number)?.bytes
const textOf = (fields: readonly WireField[], number: number): string =>
  Buffer.from(bytesOf(fields, number) ?? []).toString('utf8')
const numberOf = (fields: readonly WireField[], number: number): number =>
  fields.findLast((field) => field.number === number)?.value ?? 0

const kinds = ['keyword', 'regexp', 'domain', 'full'] as const

/** Xray up to 26.3.27 and V2Ray write the entry itself; later ones a list by its name, or the entry as a message inside. */
function domainOf(bytes: Uint8Array): DomainRule {
  const fields = parts(bytes)
  const list = bytesOf(fields, 1)
  if (list) {
    const named = parts(list)
    const attributes = textOf(named, 3)
      .split(/[@,]/)
      .flatMap((name) => name.trim().toLowerCase() || [])
    return { kind: 'list', file: textOf(named, 1) || 'geosite.dat', code: textOf(named, 2).toUpperCase(), attributes }
  }
  const second = bytesOf(fields, 2)
  const inside =
    second !== undefined && [0x08, 0x12, 0x1a].includes(second[0]!) && !fields.some(({ number }) => number === 1)
  const entry = inside ? parts(second) : fields
  const kind = kinds[numberOf(entry, 1)]
  if (!kind) throw unknown('app/router: unknown domain type')
  const value = textOf(entry, 2)
  return { kind, value: kind === 'regexp' ? value : value.toLowerCase() }
}

const ipsOf = (message: Fields, name: string): IpRule[] => message.values<Uint8Array>(name).flatMap(ipRulesOf)

/** The older form has all addresses of a list in one message, with or without its name. */
function ipRulesOf(bytes: Uint8Array): IpRule[] {
  const fields = parts(bytes)
  const list = bytesOf(fields, 1)
  if (list?.[0] === 0x0a) {
    const named = parts(list)
    return [
      {
        kind: 'list',
        file: textOf(named, 1) || 'geoip.dat',
        code: textOf(named, 2).toUpperCase(),
        not: numberOf(named, 3) !== 0,
      },
    ]
  }
  const blocks = fields.flatMap((field) => (field.number === 2 && field.bytes ? [field.bytes] : []))
  const first = blocks[0]
  if (!list && blocks.length === 1 && first?.[0] === 0x0a && first[1] !== 4 && first[1] !== 16) {
    const rule = parts(first)
    return [blockOf(bytesOf(rule, 1) ?? new Uint8Array(0), numberOf(rule, 2) !== 0)]
  }
  return blocks.map((block) => blockOf(block, numberOf(fields, 3) !== 0))
}

function blockOf(cidr: Uint8Array, not: boolean): IpRule {
  const fields = parts(cidr)
  const [bytes, prefix] = [bytesOf(fields, 1), numberOf(fields, 2)]
  if (!bytes || (bytes.length !== 4 && bytes.length !== 16) || prefix > bytes.length * 8) {
    throw unknown('app/router: invalid address or prefix')
  }
  return { kind: 'block', bytes: Uint8Array.from(bytes), prefix, not }
}

const strategies: readonly BalancerStrategy[] = ['random', 'roundRobin', 'leastPing', 'leastLoad']

/** @throws StatusError */
export function balancerOf(message: Fields): BalancerConfig {
  const [tag, selector] = [message.text('tag'), message.values<string>('outbound_selector')]
  const word = message.text('strategy') || 'random'
  const strategy = strategies.find((name) => name.toLowerCase() === word.toLowerCase())
  if (!strategy) throw unknown('app/router: unrecognized balancer type')
  const fallbackTag = message.text('fallback_tag')
  const load = message.typed('strategy_settings')?.fields
  return {
    tag,
    selector,
    strategy,
    ...(fallbackTag && { fallbackTag }),
    load: {
      expected: load?.number('expected') ?? 0,
      baselinesMs: (load?.values<number>('baselines') ?? []).map((ns) => ns / 1e6),
      maxRttMs: (load?.number('maxRTT') ?? 0) / 1e6,
      tolerance: load?.number('tolerance') ?? 0,
      costs: (load?.messages('costs') ?? []).map((cost) => ({
        match: cost.text('match'),
        regexp: cost.flag('regexp'),
        value: cost.number('value') || 1,
      })),
    },
  }
}

export const hostText = (bytes: Uint8Array): string =>
  bytes.length === 4 || bytes.length === 16 ? formatHost(hostFromIP(bytes)) : ''
