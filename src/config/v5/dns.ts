/** `dns`. */
import { parseHost } from '../../core/address.ts'
import type { Report } from '../../schema/report.ts'
import type { JsonNode } from '../../schema/tree.ts'
import { Fields, placeOf } from './fields.ts'
import { dnsName, geoIp, geoSite } from './lists.ts'
import { flag, list, type Origin, object, same, text } from './nodes.ts'

const strategies = ['USE_IP', 'USE_IP4', 'USE_IP6'] as const
const strategyWords = { USE_IP: 'UseIP', USE_IP4: 'UseIPv4', USE_IP6: 'UseIPv6' } as const
const caching = ['CacheEnabled', 'CacheDisabled'] as const
const fallbacks = ['Enabled', 'Disabled', 'DisabledIfAnyMatch'] as const

const terms = ['clientIp', 'tag', 'queryStrategy', 'cacheStrategy', 'fallbackStrategy', 'disableCache'] as const

export interface TranslatedDns {
  readonly dns: JsonNode
  /** Pools of made-up addresses. */
  readonly pools?: JsonNode
}

export function translateDns(at: Origin, report: Report): TranslatedDns {
  const known = [
    ...terms,
    'nameServer',
    'staticHosts',
    'disableFallback',
    'disableFallbackIfMatch',
    'domainMatcher',
    'fakeDns',
  ]
  const fields = new Fields(at, known, report)
  const fallback = fields.word('fallbackStrategy', fallbacks)
  const servers = fields.items('nameServer').flatMap((item) => server(item, report) ?? [])
  const pools = fields.has('fakeDns') ? poolsOf(fields.origin('fakeDns'), 'pools', report) : undefined
  const dns = object(at, {
    ...termsOf(fields),
    servers: fields.has('nameServer') ? list(fields.origin('nameServer'), servers) : undefined,
    hosts: fields.has('staticHosts') ? hosts(fields, report) : undefined,
    disableFallback: fallback
      ? flag(fields.origin('fallbackStrategy'), fallback === 'Disabled')
      : fields.node('disableFallback'),
    disableFallbackIfMatch: fallback
      ? flag(fields.origin('fallbackStrategy'), fallback === 'DisabledIfAnyMatch')
      : fields.node('disableFallbackIfMatch'),
    domainMatcher: fields.node('domainMatcher'),
  })
  return { dns, ...(pools && { pools }) }
}

function termsOf(fields: Fields): Record<string, JsonNode | undefined> {
  const strategy = fields.word('queryStrategy', strategies)
  const cache = fields.word('cacheStrategy', caching)
  return {
    clientIp: fields.node('clientIp'),
    tag: fields.node('tag'),
    queryStrategy: strategy && text(fields.origin('queryStrategy'), strategyWords[strategy]),
    disableCache: cache ? flag(fields.origin('cacheStrategy'), cache === 'CacheDisabled') : fields.node('disableCache'),
  }
}

function server(at: Origin, report: Report): JsonNode | undefined {
  const known = [
    ...terms,
    'address',
    'prioritizedDomain',
    'geoDomain',
    'geoip',
    'skipFallback',
    'originalRules',
    'fakeDns',
  ]
  const fields = new Fields(at, known, report)
  if (at.node.type !== 'object') return undefined
  const address = endpoint(fields, report)
  if (!address) return undefined
  const domains = [
    ...fields.items('prioritizedDomain').flatMap((item) => {
      const name = dnsName(new Fields(item, ['type', 'domain'], report))
      return name === undefined ? [] : text(item, name)
    }),
    ...fields.items('geoDomain').flatMap((item) => geoSite(item, report)),
  ]
  const expected = fields.items('geoip').flatMap((item) => geoIp(item, report))
  const { disableCache, ...own } = termsOf(fields)
  return object(at, {
    ...address,
    ...own,
    disableCache,
    domains: domains.length > 0 ? list(at, domains) : undefined,
    expectIPs: fields.has('geoip') ? list(fields.origin('geoip'), expected) : undefined,
    skipFallback: fields.node('skipFallback'),
  })
}

function endpoint(fields: Fields, report: Report): { address: JsonNode; port?: JsonNode } | undefined {
  const at = fields.origin('address')
  if (at.node.type === 'string') {
    const message = 'the address is an object here'
    report.error('CFG022', placeOf(at), message, `write { "address": "${at.node.value}", "port": 53 }`)
    return undefined
  }
  if (!fields.has('address')) {
    report.error('CFG024', placeOf(fields.at), 'this name server has no "address": V2Ray would crash')
    return undefined
  }
  const inner = new Fields(at, ['network', 'address', 'port'], report)
  const network = inner.word('network', ['Unknown', 'RAW', 'TCP', 'UDP', 'UNIX'])
  const host = inner.text('address')
  if (!host) {
    report.error('CFG024', placeOf(inner.origin('address')), 'this name server has no "address"')
    return undefined
  }
  if (network === 'TCP' && parseHost(host).kind !== 'domain') {
    report.error(
      'CFG028',
      placeOf(inner.origin('network')),
      'V2Ray has no such name server',
      `write "address": "tcp://${host}"`,
    )
    return undefined
  }
  const port = inner.numberNode('port')
  const plain = !/:\/\//.test(host) && !/^(localhost|fakedns)$/i.test(host)
  if (plain && !port && !inner.has('port'))
    report.warn('CFG026', placeOf(at), 'without a "port" V2Ray would use 0; 53 is used')
  return { address: same(inner.origin('address')), ...(port && plain && { port }) }
}

function hosts(fields: Fields, report: Report): JsonNode {
  const members: Record<string, JsonNode> = {}
  for (const at of fields.items('staticHosts')) {
    const host = new Fields(at, ['type', 'domain', 'ip', 'proxiedDomain'], report)
    const name = dnsName(host)
    const value = host.node('proxiedDomain') ?? host.textsNode('ip')
    if (name === undefined || !value)
      report.error('CFG024', placeOf(at), 'this entry needs "domain", and "ip" or "proxiedDomain"')
    else members[name] = value
  }
  return object(fields.origin('staticHosts'), members)
}

/** Pools of made-up addresses. V2Ray 5.52 reads them and uses its own. */
export function poolsOf(at: Origin, key: 'pools' | undefined, report: Report): JsonNode {
  const items = key ? new Fields(at, [key], report).items(key) : [at]
  report.warn(
    'CFG030',
    placeOf(at),
    'V2Ray itself takes no notice of these pools and uses 198.18.0.0/15; here they hold',
  )
  return list(
    at,
    items.map((item) => {
      const fields = new Fields(item, ['ipPool', 'lruSize'], report)
      return object(item, { ipPool: fields.node('ipPool'), poolSize: fields.numberNode('lruSize') })
    }),
  )
}
