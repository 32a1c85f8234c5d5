import { asList, asPlain, isEmpty, type Plain, without } from '../plain.ts'
import { Taker } from '../taker.ts'
import { nanoseconds, numberOr, textOr, wrapped } from './words.ts'

/** What stands at the root there. */
export function writeServices(root: Taker): Plain | undefined {
  const of = (key: string, write: (fields: Taker) => unknown) =>
    root.value[key] === undefined ? undefined : write(root.inside(key))
  const services = without({
    policy: of('policy', policy),
    stats: of('stats', () => ({})),
    commander: of('api', commander),
    backgroundObservatory: of('observatory', observatory),
    burstObservatory: of('burstObservatory', burst),
    reverse: of('reverse', reverse),
    fakeDnsMulti: pools(root),
  })
  return isEmpty(services) ? undefined : services
}

function policy(fields: Taker): Plain {
  const levels = Object.entries(asPlain(fields.take('levels'))).map(([name, value]) => {
    const path = `${fields.path}.levels["${name}"]`
    return [name, level(new Taker(value, path, fields.losses, 'V2Ray 5’s own format has no place for it'))]
  })
  const system = fields.inside('system')
  const stats = without({
    inboundUplink: system.take('statsInboundUplink'),
    inboundDownlink: system.take('statsInboundDownlink'),
    outboundUplink: system.take('statsOutboundUplink'),
    outboundDownlink: system.take('statsOutboundDownlink'),
  })
  const override = system.take('overrideAccessLogDest')
  system.end()
  fields.end()
  const all = without({ stats: isEmpty(stats) ? undefined : stats, overrideAccessLogDest: override })
  return without({
    level: levels.length > 0 ? Object.fromEntries(levels) : undefined,
    system: isEmpty(all) ? undefined : all,
  })
}

/** Bytes here, KiB there. */
function level(fields: Taker): Plain {
  const timeout = without({
    handshake: wrapped(fields.take('handshake')),
    connectionIdle: wrapped(fields.take('connIdle')),
    uplinkOnly: wrapped(fields.take('uplinkOnly')),
    downlinkOnly: wrapped(fields.take('downlinkOnly')),
  })
  const stats = without({ userUplink: fields.take('statsUserUplink'), userDownlink: fields.take('statsUserDownlink') })
  const kib = numberOr(fields.take('bufferSize'))
  fields.lose('statsUserOnline', 'V2Ray does not count addresses')
  fields.end()
  return without({
    timeout: isEmpty(timeout) ? undefined : timeout,
    stats: isEmpty(stats) ? undefined : stats,
    buffer: kib === undefined ? undefined : { connection: kib < 0 ? -1 : kib * 1024 },
  })
}

const services: Readonly<Record<string, string>> = {
  statsservice: 'stats',
  handlerservice: 'proxyman',
  routingservice: 'router',
  observatoryservice: 'observatory',
  reflectionservice: 'reflection',
  loggerservice: '#v2ray.core.app.log.command.Config',
}

function commander(fields: Taker): Plain {
  const names = fields.texts('services').flatMap((name) => {
    const short = services[name.toLowerCase()]
    if (!short) fields.losses.say(`${fields.path}.services`, name, 'V2Ray has no such service')
    return short ?? []
  })
  fields.lose('listen', 'V2Ray’s API has no port of its own: write a dokodemo-door inbound and a rule')
  const tag = textOr(fields.text('tag'))
  fields.end()
  return without({ tag, name: names })
}

function observatory(fields: Taker): Plain {
  const written = {
    subjectSelector: fields.texts('subjectSelector'),
    probeUrl: textOr(fields.text('probeURL')),
    probeInterval: nanoseconds(fields.take('probeInterval')),
  }
  fields.end()
  return without(written)
}

function burst(fields: Taker): Plain {
  const ping = fields.inside('pingConfig')
  const written = without({
    destination: textOr(ping.text('destination')),
    connectivity: textOr(ping.text('connectivity')),
    interval: nanoseconds(ping.take('interval')),
    samplingCount: numberOr(ping.take('sampling')),
    timeout: nanoseconds(ping.take('timeout')),
  })
  const subjectSelector = fields.texts('subjectSelector')
  ping.end()
  fields.end()
  return without({ subjectSelector, pingConfig: isEmpty(written) ? undefined : written })
}

function reverse(fields: Taker): Plain {
  const ends = (key: string) => {
    const list = asList(fields.take(key)).map((end) => {
      const { tag, domain } = asPlain(end)
      return { tag, domain }
    })
    return list.length > 0 ? list : undefined
  }
  return without({ bridgeConfig: ends('bridges'), portalConfig: ends('portals') })
}

function pools(root: Taker): Plain | undefined {
  const list = asList(root.take('fakedns')).map((pool) => {
    const { ipPool, poolSize } = asPlain(pool)
    return without({ ipPool, lruSize: poolSize })
  })
  return list.length > 0 ? { pools: list } : undefined
}
