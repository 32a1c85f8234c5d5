/** `services`: what stands at the root in the other format. */
import type { Report } from '../../schema/report.ts'
import type { JsonNode } from '../../schema/tree.ts'
import { poolsOf } from './dns.ts'
import { Fields, placeOf } from './fields.ts'
import { serviceNames } from './format.ts'
import { list, number, type Origin, object, text } from './nodes.ts'
import { durationOf } from './router.ts'

const unsupported = [
  'multiobservatory',
  'browser',
  'tun',
  'instman',
  'subscription',
  'filesystemstorage',
  'webcommander',
]

const hints: Readonly<Record<string, string>> = {
  observatory: 'write "backgroundObservatory" or "burstObservatory"',
  api: 'write "commander"',
  fakedns: 'write "fakeDns"',
  log: 'write it at the root',
  dns: 'write it at the root',
  router: 'write it at the root',
}

/** Members of the root. */
export function translateServices(at: Origin, report: Report): Record<string, JsonNode | undefined> {
  const fields = new Fields(at, serviceNames, report, { hint: (key) => hints[key] })
  for (const key of unsupported) {
    if (fields.has(key))
      report.warn('CFG030', placeOf(fields.origin(key)), `"${key}" has no effect: it is not supported`)
  }
  const of = (key: string, translate: (at: Origin, report: Report) => JsonNode): JsonNode | undefined =>
    fields.has(key) ? translate(fields.origin(key), report) : undefined
  return {
    policy: of('policy', policy),
    stats: of('stats', (each) => object(each, {})),
    api: of('commander', commander),
    observatory: of('backgroundObservatory', observatory),
    burstObservatory: of('burstObservatory', burst),
    reverse: of('reverse', reverse),
    fakedns:
      of('fakeDnsMulti', (each) => poolsOf(each, 'pools', report)) ??
      of('fakeDns', (each) => poolsOf(each, undefined, report)),
  }
}

function policy(at: Origin, report: Report): JsonNode {
  const fields = new Fields(at, ['level', 'system'], report)
  const levels = fields.origin('level')
  const system = fields.fields('system', ['stats', 'overrideAccessLogDest'])
  const stats = system.fields('stats', ['inboundUplink', 'inboundDownlink', 'outboundUplink', 'outboundDownlink'])
  const members: Record<string, JsonNode> = {}
  if (levels.node.type === 'object' && fields.has('level')) {
    for (const { key, value } of levels.node.entries)
      members[key] = level({ node: value, path: `${levels.path}["${key}"]` }, report)
  }
  return object(at, {
    levels: fields.has('level') ? object(levels, members) : undefined,
    system: fields.has('system')
      ? object(system.at, {
          statsInboundUplink: stats.node('inboundUplink'),
          statsInboundDownlink: stats.node('inboundDownlink'),
          statsOutboundUplink: stats.node('outboundUplink'),
          statsOutboundDownlink: stats.node('outboundDownlink'),
          overrideAccessLogDest: system.node('overrideAccessLogDest'),
        })
      : undefined,
  })
}

function level(at: Origin, report: Report): JsonNode {
  const fields = new Fields(at, ['timeout', 'stats', 'buffer'], report)
  const timeout = fields.fields('timeout', ['handshake', 'connectionIdle', 'uplinkOnly', 'downlinkOnly'])
  const stats = fields.fields('stats', ['userUplink', 'userDownlink'])
  const buffer = fields.fields('buffer', ['connection'])
  const bytes = fields.has('buffer') ? (buffer.number('connection') ?? 0) : undefined
  return object(at, {
    handshake: timeout.wrapped('handshake'),
    connIdle: timeout.wrapped('connectionIdle'),
    uplinkOnly: timeout.wrapped('uplinkOnly'),
    downlinkOnly: timeout.wrapped('downlinkOnly'),
    statsUserUplink: stats.node('userUplink'),
    statsUserDownlink: stats.node('userDownlink'),
    // Bytes here, KiB there; a negative number is no bound in both.
    bufferSize: bytes === undefined ? undefined : number(buffer.at, bytes < 0 ? -1 : Math.ceil(bytes / 1024)),
  })
}

const services: Readonly<Record<string, string>> = {
  stats: 'StatsService',
  proxyman: 'HandlerService',
  router: 'RoutingService',
  observatory: 'ObservatoryService',
  reflection: 'ReflectionService',
  '#v2ray.core.app.log.command.Config': 'LoggerService',
}

function commander(at: Origin, report: Report): JsonNode {
  const fields = new Fields(at, ['tag', 'name'], report)
  const names = fields.items('name').flatMap((item) => {
    const name = item.node.type === 'string' ? item.node.value : ''
    if (Object.hasOwn(services, name)) return text(item, services[name]!)
    const short = Object.entries(services).find(([, long]) => long === name)?.[0]
    report.error('CFG025', placeOf(item), 'there is no such service here', short && `write "${short}"`)
    return []
  })
  return object(at, { tag: fields.node('tag'), services: list(fields.origin('name'), names) })
}

function observatory(at: Origin, report: Report): JsonNode {
  const hint = (key: string) => (key === 'probeURL' ? 'write "probeUrl"' : undefined)
  const fields = new Fields(at, ['subjectSelector', 'probeUrl', 'probeInterval', 'persistentProbeResult'], report, {
    hint,
  })
  return object(at, {
    subjectSelector: fields.textsNode('subjectSelector'),
    probeURL: fields.node('probeUrl'),
    probeInterval: durationOf(fields, 'probeInterval'),
  })
}

function burst(at: Origin, report: Report): JsonNode {
  const fields = new Fields(at, ['subjectSelector', 'pingConfig'], report)
  const ping = fields.fields('pingConfig', ['destination', 'connectivity', 'interval', 'samplingCount', 'timeout'])
  return object(at, {
    subjectSelector: fields.textsNode('subjectSelector'),
    pingConfig: fields.has('pingConfig')
      ? object(ping.at, {
          destination: ping.node('destination'),
          connectivity: ping.node('connectivity'),
          interval: durationOf(ping, 'interval'),
          sampling: ping.numberNode('samplingCount'),
          timeout: durationOf(ping, 'timeout'),
        })
      : undefined,
  })
}

function reverse(at: Origin, report: Report): JsonNode {
  const fields = new Fields(at, ['bridgeConfig', 'portalConfig'], report)
  const ends = (key: string): JsonNode | undefined =>
    fields.has(key)
      ? list(
          fields.origin(key),
          fields.items(key).map((item) => {
            const end = new Fields(item, ['tag', 'domain'], report)
            return object(item, { tag: end.node('tag'), domain: end.node('domain') })
          }),
        )
      : undefined
  return object(at, { bridges: ends('bridgeConfig'), portals: ends('portalConfig') })
}
