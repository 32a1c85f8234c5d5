/** `settings`, by the name of the protocol. */
import type { Report } from '../../schema/report.ts'
import { shorten } from '../../schema/report.ts'
import type { JsonNode } from '../../schema/tree.ts'
import { Fields, placeOf } from './fields.ts'
import { blackholeMessage, vmessInboundMessage, vmessOutboundMessage } from './full-messages.ts'
import { list, type Origin, object, text } from './nodes.ts'
import { networksOf } from './router.ts'

/** The protocol of the other format, and its settings. */
export interface Translated {
  readonly protocol: string
  readonly settings: JsonNode
}

type Translate = (at: Origin, report: Report) => JsonNode

const nothing: Translate = (at, report) => {
  new Fields(at, [], report)
  return object(at, {})
}

const vmessHint = (key: string): string | undefined =>
  ['id', 'security', 'alterId', 'users', 'vnext'].includes(key)
    ? 'a server is "address", "port" and "uuid" here; security is always auto and alterId 0: more needs the format of V2Ray 4'
    : undefined

const inbounds: Readonly<Record<string, Translate>> = {
  vmess(at, report) {
    const fields = new Fields(at, ['users'], report)
    const users = fields.items('users').flatMap((item) => {
      if (item.node.type === 'string') return object(item, { id: text(item, item.node.value) })
      const message = `found ${item.node.type}, expected the UUID of a user as text`
      report.error('CFG022', placeOf(item), message, 'e-mail and level need the format of V2Ray 4')
      return []
    })
    return object(at, { clients: list(fields.origin('users'), users) })
  },
  socks(at, report) {
    const hint = (key: string) =>
      ['auth', 'accounts'].includes(key)
        ? 'passwords need the format of V2Ray 4'
        : key === 'ip'
          ? '"ip" is called "address" here'
          : undefined
    const fields = new Fields(at, ['address', 'udpEnabled', 'packetEncoding', 'deferLastReply'], report, { hint })
    const encoding = fields.word('packetEncoding', ['None', 'Packet', 'Stream'])
    if (encoding && encoding !== 'None') {
      report.warn(
        'CFG030',
        placeOf(fields.origin('packetEncoding')),
        '"packetEncoding" has no effect: outbounds choose it',
      )
    }
    return object(at, { udp: fields.node('udpEnabled'), ip: fields.node('address') })
  },
  http: nothing,
  'dokodemo-door'(at, report) {
    const fields = new Fields(at, ['address', 'port', 'networks', 'followRedirect'], report)
    if (!fields.has('networks')) {
      report.error(
        'CFG024',
        placeOf(at),
        'this inbound has no "networks": V2Ray would crash',
        'write "networks": "tcp"',
      )
    }
    return object(at, {
      address: fields.node('address'),
      port: fields.numberNode('port'),
      network: networksOf(fields, 'networks', report),
      followRedirect: fields.node('followRedirect'),
    })
  },
}

const outbounds: Readonly<Record<string, Translate>> = {
  vmess(at, report) {
    const fields = new Fields(at, ['address', 'port', 'uuid'], report, { hint: vmessHint })
    const server = object(at, {
      address: fields.node('address'),
      port: fields.numberNode('port'),
      users: list(at, fields.has('uuid') ? [object(fields.origin('uuid'), { id: fields.node('uuid') })] : []),
    })
    if (!fields.has('uuid')) report.error('CFG024', placeOf(fields.origin('uuid')), 'this server has no "uuid"')
    return object(at, { vnext: list(at, [server]) })
  },
  freedom(at, report) {
    const hint = (key: string) =>
      key === 'domainStrategy'
        ? 'write it beside "protocol"'
        : key === 'redirect'
          ? 'write "destinationOverride": { "server": { "address": …, "port": … } }'
          : undefined
    const fields = new Fields(at, ['destinationOverride', 'protocolReplacement'], report, { hint })
    const replacement = fields.word('protocolReplacement', ['IDENTITY', 'FORCE_TCP', 'FORCE_UDP'])
    if (replacement && replacement !== 'IDENTITY') {
      report.error('CFG034', placeOf(fields.origin('protocolReplacement')), `"${replacement}" is not supported`)
    }
    const server = fields.fields('destinationOverride', ['server']).fields('server', ['address', 'port'])
    const address = server.text('address') ?? ''
    const port = server.number('port') ?? 0
    const host = address.includes(':') ? `[${address.replace(/^\[|\]$/g, '')}]` : address
    return object(at, {
      redirect: fields.has('destinationOverride')
        ? text(fields.origin('destinationOverride'), `${host}:${port || ''}`)
        : undefined,
    })
  },
  blackhole: nothing,
  dns(at, report) {
    const fields = new Fields(at, ['overrideResponseTtl', 'responseTtl'], report)
    if (fields.flag('overrideResponseTtl')) {
      report.warn(
        'CFG030',
        placeOf(fields.origin('overrideResponseTtl')),
        'the time that answers hold is the one that servers say',
      )
    }
    return object(at, {})
  },
  loopback(at, report) {
    const fields = new Fields(at, ['inboundTag'], report)
    return object(at, { inboundTag: fields.node('inboundTag') })
  },
  socks: upstream(['address', 'port']),
  http: upstream(['address', 'port', 'h1SkipWaitForReply']),
}

/** One server without a login. */
function upstream(keys: readonly string[]): Translate {
  return (at, report) => {
    const fields = new Fields(at, keys, report)
    return object(at, {
      servers: list(at, [object(at, { address: fields.node('address'), port: fields.numberNode('port') })]),
    })
  }
}

/** Names that the format knows and that are refused by their name later on. */
const foreign = ['shadowsocks', 'vless', 'trojan', 'wireguard', 'hysteria2', 'shadowsocks2022', 'vliteu']

const messages: Readonly<Record<string, readonly [protocol: string, translate: Translate]>> = {
  '#v2ray.core.proxy.vmess.inbound.Config': ['vmess', vmessInboundMessage],
  '#v2ray.core.proxy.vmess.outbound.Config': ['vmess', vmessOutboundMessage],
  '#v2ray.core.proxy.blackhole.Config': ['blackhole', blackholeMessage],
}

/** Undefined after an error. */
export function translateProtocol(role: 'inbound' | 'outbound', end: Fields, report: Report): Translated | undefined {
  const name = end.text('protocol')
  if (name === undefined) {
    if (!end.has('protocol')) report.error('CFG024', placeOf(end.origin('protocol')), `this ${role} has no "protocol"`)
    return undefined
  }
  const settings = end.has('settings')
    ? end.origin('settings')
    : { node: { ...end.at.node, type: 'object' as const, entries: [] }, path: end.origin('settings').path }
  const table = role === 'inbound' ? inbounds : outbounds
  if (Object.hasOwn(table, name)) return { protocol: name, settings: table[name]!(settings, report) }
  if (Object.hasOwn(messages, name)) {
    const [protocol, translate] = messages[name]!
    return { protocol, settings: translate(settings, report) }
  }
  const at = end.origin('protocol')
  const shown = JSON.stringify(shorten(name, 64))
  if (foreign.includes(name)) return { protocol: name, settings: object(settings, {}) }
  const alike = [...Object.keys(table), ...foreign].find((each) => each.toLowerCase() === name.toLowerCase())
  if (name.startsWith('#')) report.error('CFG034', placeOf(at), `${shown} is known to V2Ray, not supported here`)
  else
    report.error('CFG025', placeOf(at), `found ${shown}: there is no such protocol here`, alike && `write "${alike}"`)
  return undefined
}
