/** `router`. */
import type { Report } from '../../schema/report.ts'
import { shorten } from '../../schema/report.ts'
import type { JsonNode } from '../../schema/tree.ts'
import { Fields, placeOf } from './fields.ts'
import { geoIp, geoSite, ruleName } from './lists.ts'
import { list, type Origin, object, text } from './nodes.ts'

const strategies = ['AsIs', 'UseIp', 'IpIfNonMatch', 'IpOnDemand'] as const
const strategyWords = { AsIs: 'AsIs', UseIp: 'AsIs', IpIfNonMatch: 'IPIfNonMatch', IpOnDemand: 'IPOnDemand' } as const

const ruleKeys = [
  'tag',
  'balancingTag',
  'domain',
  'geoDomain',
  'geoip',
  'sourceGeoip',
  'portList',
  'sourcePortList',
  'networks',
  'userEmail',
  'inboundTag',
  'protocol',
  'attributes',
  'domainMatcher',
  'setAttribute',
]

const ruleHint = (key: string): string | undefined =>
  ({
    ip: '"ip" is called "geoip" here',
    port: '"port" is called "portList" here',
    network: '"network" is called "networks" here',
    type: 'rules have no "type" here',
  })[key]

export function translateRouter(at: Origin, report: Report): JsonNode {
  const fields = new Fields(at, ['domainStrategy', 'rule', 'balancingRule'], report)
  const strategy = fields.word('domainStrategy', strategies)
  return object(at, {
    domainStrategy: strategy && text(fields.origin('domainStrategy'), strategyWords[strategy]),
    rules: fields.has('rule')
      ? list(
          fields.origin('rule'),
          fields.items('rule').map((item) => rule(item, report)),
        )
      : undefined,
    balancers: fields.has('balancingRule')
      ? list(
          fields.origin('balancingRule'),
          fields.items('balancingRule').map((item) => balancer(item, report)),
        )
      : undefined,
  })
}

function rule(at: Origin, report: Report): JsonNode {
  const fields = new Fields(at, ruleKeys, report, { hint: ruleHint })
  const names = fields.items('domain').flatMap((item) => ruleName(item, report) ?? [])
  const sites = fields.items('geoDomain').flatMap((item) => geoSite(item, report))
  if (fields.has('domain') && fields.has('geoDomain')) {
    const message = '"domain" and "geoDomain" in one rule must both hold, which is not supported'
    report.error(
      'CFG034',
      placeOf(fields.origin('geoDomain')),
      message,
      'for either of them put the names into "geoDomain" too',
    )
  }
  if (fields.has('setAttribute')) {
    report.warn('CFG030', placeOf(fields.origin('setAttribute')), '"setAttribute" has no effect: it is not supported')
  }
  const balancing = fields.node('balancingTag')
  const domain = fields.has('domain')
    ? fields.origin('domain')
    : fields.has('geoDomain')
      ? fields.origin('geoDomain')
      : undefined
  return object(at, {
    type: text(at, 'field'),
    // With both the balancer wins.
    outboundTag: balancing ? undefined : fields.node('tag'),
    balancerTag: balancing,
    domain: domain && list(domain, [...names, ...sites]),
    ip: addresses(fields, 'geoip', report),
    source: addresses(fields, 'sourceGeoip', report),
    port: ports(fields, 'portList', report),
    sourcePort: ports(fields, 'sourcePortList', report),
    network: networksOf(fields, 'networks', report),
    user: fields.textsNode('userEmail'),
    inboundTag: fields.textsNode('inboundTag'),
    protocol: fields.textsNode('protocol'),
    attrs: fields.node('attributes'),
    domainMatcher: fields.node('domainMatcher'),
  })
}

const addresses = (fields: Fields, key: string, report: Report): JsonNode | undefined =>
  fields.has(key)
    ? list(
        fields.origin(key),
        fields.items(key).flatMap((item) => geoIp(item, report)),
      )
    : undefined

/** Always text here. */
function ports(fields: Fields, key: string, report: Report): JsonNode | undefined {
  const at = fields.origin(key)
  if (fields.has(key) && at.node.type === 'number') {
    report.error('CFG022', placeOf(at), 'found a number, expected text', `write "${key}": "${at.node.value}"`)
    return undefined
  }
  const written = fields.text(key)
  return written === undefined ? undefined : text(at, written.replaceAll(/\s/g, ''))
}

/** Text or a list, in any letter case. */
export function networksOf(fields: Fields, key: string, report: Report): JsonNode | undefined {
  if (!fields.has(key)) return undefined
  const at = fields.origin(key)
  const words = at.node.type === 'string' ? at.node.value.split(',') : fields.texts(key)
  for (const word of words) {
    if (/^(tcp|udp|unix)$/i.test(word.trim())) continue
    report.error('CFG025', placeOf(at), `found ${JSON.stringify(shorten(word))}, expected "tcp" or "udp"`)
  }
  return words.length === 0 ? undefined : text(at, words.map((word) => word.trim().toLowerCase()).join(','))
}

const balancerStrategies = ['random', 'leastping', 'leastload'] as const

/** Read by a lax decoder there, which takes snake case only and passes everything else over in silence. */
function balancer(at: Origin, report: Report): JsonNode {
  const known = ['tag', 'outboundSelector', 'strategy', 'strategySettings', 'fallbackTag']
  const fields = new Fields(at, known, report)
  if (at.node.type === 'object') {
    for (const { key, keyOffset, value } of at.node.entries) {
      if (!['outboundSelector', 'strategySettings', 'fallbackTag'].includes(key)) continue
      const snake = key.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
      const place = { source: value.source, offset: keyOffset, path: `${at.path}.${key}` }
      report.warn('CFG021', place, `V2Ray itself reads only "${snake}" and would ignore this`)
    }
  }
  const strategy = fields.word('strategy', balancerStrategies)
  const settings = fields.fields('strategySettings', [
    'costs',
    'baselines',
    'expected',
    'maxRTT',
    'tolerance',
    'observerTag',
    'aliveOnly',
    'stickyChoice',
  ])
  return object(at, {
    tag: fields.node('tag'),
    selector: fields.textsNode('outboundSelector'),
    fallbackTag: fields.node('fallbackTag'),
    strategy:
      strategy &&
      object(fields.origin('strategy'), {
        type: text(fields.origin('strategy'), strategy),
        settings: fields.has('strategySettings')
          ? object(fields.origin('strategySettings'), {
              costs: settings.node('costs'),
              baselines: settings.has('baselines')
                ? list(
                    settings.origin('baselines'),
                    settings.items('baselines').map((item) => nanoseconds(item)),
                  )
                : undefined,
              expected: settings.numberNode('expected'),
              maxRTT: durationOf(settings, 'maxRTT'),
              tolerance: settings.node('tolerance'),
            })
          : undefined,
      }),
  })
}

const nanoseconds = (at: Origin): JsonNode => {
  const value = at.node.type === 'number' || at.node.type === 'string' ? Number(at.node.value) : Number.NaN
  return Number.isFinite(value) ? text(at, `${value}ns`) : text(at, String('value' in at.node ? at.node.value : ''))
}

/** Whole nanoseconds there, text with a unit in the other format. */
export function durationOf(fields: Fields, key: string): JsonNode | undefined {
  const value = fields.number(key)
  if (value === undefined) return undefined
  const at = fields.origin(key)
  if (value > 0 && value < 1_000_000) {
    const hint = `nanoseconds: ${value} s is ${value}000000000`
    fields.report.warn('CFG023', placeOf(at), `${value} ns is less than a millisecond`, hint)
  }
  return text(at, `${value}ns`)
}
