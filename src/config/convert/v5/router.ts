import { asList, isEmpty, type Plain, without } from '../plain.ts'
import type { Taker } from '../taker.ts'
import { addressesOf, ruleNames } from './lists.ts'
import { nanoseconds, numberOr, textOr } from './words.ts'

const strategies: Readonly<Record<string, string>> = { ipifnonmatch: 'IpIfNonMatch', ipondemand: 'IpOnDemand' }

export function writeRouter(fields: Taker): Plain {
  const strategy = fields.text('domainStrategy').toLowerCase().replaceAll(/[_-]/g, '')
  const each = (key: string, write: (one: Taker) => Plain) => {
    const items = asList(fields.take(key))
    return items.length === 0 ? undefined : items.map((item, i) => write(fields.item(key, item, i)))
  }
  fields.take('domainMatcher')
  fields.lose('normalizeTrailingDot', 'V2Ray has no such thing')
  const rule = each('rules', writeRule)
  const balancingRule = each('balancers', writeBalancer)
  fields.end()
  return without({ domainStrategy: strategies[strategy], rule, balancingRule })
}

function writeRule(fields: Taker): Plain {
  const balancer = fields.text('balancerTag')
  const outbound = fields.text('outboundTag')
  for (const key of ['type', 'domainMatcher']) fields.take(key)
  const written = {
    // There the balancer would win.
    tag: textOr(outbound),
    balancingTag: outbound === '' ? textOr(balancer) : undefined,
    ...ruleNames(fields.texts('domain')),
    geoip: addressesOf(fields.texts('ip')),
    sourceGeoip: addressesOf(fields.texts('source')),
    portList: textOr(fields.text('port')),
    sourcePortList: textOr(fields.text('sourcePort')),
    networks: textOr(fields.text('network')),
    ...texts(fields, { user: 'userEmail', inboundTag: 'inboundTag', protocol: 'protocol' }),
    attributes: textOr(fields.text('attrs')),
  }
  fields.lose('ruleTag', 'V2Ray has no names of rules')
  fields.end()
  return without(written)
}

const texts = (fields: Taker, names: Readonly<Record<string, string>>): Plain =>
  Object.fromEntries(
    Object.entries(names).flatMap(([from, to]) => {
      const list = fields.texts(from)
      return list.length === 0 ? [] : [[to, list]]
    }),
  )

function writeBalancer(fields: Taker): Plain {
  const strategy = fields.inside('strategy')
  const type = strategy.text('type').toLowerCase()
  if (type === 'roundrobin')
    fields.losses.say(`${fields.path}.strategy.type`, 'roundRobin', 'V2Ray has no turns: it chooses at random')
  const settings = strategy.inside('settings')
  const written = {
    tag: textOr(fields.text('tag')),
    outbound_selector: fields.texts('selector'),
    fallback_tag: textOr(fields.text('fallbackTag')),
    strategy: type === 'leastping' || type === 'leastload' ? type : undefined,
    strategy_settings: type === 'leastload' ? loadOf(settings) : undefined,
  }
  strategy.end()
  fields.end()
  return without(written)
}

function loadOf(settings: Taker): Plain | undefined {
  const baselines = asList(settings.take('baselines')).map(nanoseconds)
  const load = without({
    costs: settings.take('costs'),
    baselines: baselines.length > 0 ? baselines : undefined,
    expected: numberOr(settings.take('expected')),
    maxRTT: nanoseconds(settings.take('maxRTT')),
    tolerance: settings.take('tolerance'),
  })
  settings.end()
  return isEmpty(load) ? undefined : load
}
