import type { Family, Fields, Typed } from '../fields.ts'
import { unavailable } from '../status.ts'
import { sockoptJson } from './sockopt.ts'
import { tlsJson } from './tls.ts'
import { given, hostOf } from './values.ts'

/** V2Ray's old numbers of transports. */
const networks = ['tcp', 'udp', 'mkcp', 'websocket', 'http', 'domainsocket'] as const

/** A StreamConfig as `streamSettings`. */
export function streamJson(fields: Fields | undefined, family: Family): Record<string, unknown> {
  if (!fields) return {}
  const network = networkOf(fields)
  const transports = fields.messages('transport_settings').map((entry) => transportJson(entry))
  const sockopt = fields.message('socket_settings')
  return given({
    network: network === 'tcp' ? '' : network,
    ...Object.assign({}, ...transports),
    ...securityJson(fields, family),
    sockopt: sockopt && sockoptJson(sockopt, family),
    address: hostOf(fields.message('address')),
    port: fields.number('port'),
  })
}

const networkOf = (fields: Fields): string => {
  const old = fields.number('protocol')
  return fields.text('protocol_name') || (networks[old] ?? `transport ${old}`)
}

function transportJson(fields: Fields): object {
  const network = networkOf(fields)
  const settings = fields.typed('settings')
  if (!settings) return {}
  if (settings.name !== 'transport.internet.tcp.Config') throw unavailable(`"${settings.type}" for ${network}`)
  const header = settings.fields.typed('header_settings')
  return {
    tcpSettings: given({
      acceptProxyProtocol: settings.fields.flag('accept_proxy_protocol'),
      header: header && { type: headerType(header) },
    }),
  }
}

/** Other headers are unknown messages, and have been refused by their name. */
function headerType({ name, type }: Typed): string {
  if (name.startsWith('transport.internet.headers.noop.')) return 'none'
  throw unavailable(`"${type}"`)
}

/** Of several settings the type says which one holds; the others would be without effect, and are refused. */
function securityJson(fields: Fields, family: Family): object {
  const wanted = fields.text('security_type')
  const settings = fields.typedList('security_settings')
  const type = wanted.slice(wanted.lastIndexOf('/') + 1)
  for (const entry of settings) if (entry.type !== type) throw unavailable(`"${entry.type}" beside "${type}"`)
  if (type === '' || type === 'none') return {}
  if (!type.endsWith('transport.internet.tls.Config') && type !== 'tls') throw unavailable(`"${type}"`)
  const [tls] = settings
  return { security: 'tls', tlsSettings: tls && tlsJson(tls.fields, family) }
}
