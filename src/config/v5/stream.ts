/** `streamSettings`: one place for the settings of whichever transport, and of whichever security. */
import type { Report } from '../../schema/report.ts'
import { shorten } from '../../schema/report.ts'
import type { JsonNode } from '../../schema/tree.ts'
import { Fields, placeOf } from './fields.ts'
import { type Origin, object, same, text } from './nodes.ts'
import { translateTls } from './security.ts'
import { transports } from './transports.ts'

/** Names of the other format, and of transports that are V2Ray's alone. */
const otherNames: Readonly<Record<string, string>> = {
  raw: 'tcp',
  websocket: 'ws',
  mkcp: 'kcp',
  gun: 'grpc',
  http: 'h2',
  ds: 'domainsocket',
}
const unsupported = ['dtls', 'meek', 'mekya', 'gdocsviewer', 'request', 'hysteria2', 'tlsmirror', 'rrpit']

export function translateStream(at: Origin, report: Report): JsonNode {
  const known = ['transport', 'transportSettings', 'security', 'securitySettings', 'socketSettings']
  const fields = new Fields(at, known, report, { anyCase: true })
  const name = transportName(fields, report)
  const transport = Object.hasOwn(transports, name) ? transports[name]! : undefined
  const security = securityName(fields, report)
  const settings = fields.origin('transportSettings')
  return object(at, {
    network: transport && text(fields.has('transport') ? fields.origin('transport') : at, transport.network),
    ...(transport &&
      fields.has('transportSettings') && { [transport.settings]: transport.translate(settings, report) }),
    security: security && text(fields.origin('security'), 'tls'),
    tlsSettings:
      security && translateTls(fields.origin('securitySettings'), security, fields.has('securitySettings'), report),
    sockopt: fields.has('socketSettings') ? sockopt(fields.origin('socketSettings'), report) : undefined,
  })
}

function transportName(fields: Fields, report: Report): string {
  const name = fields.text('transport') ?? 'tcp'
  if (Object.hasOwn(transports, name)) return name
  const at = fields.origin('transport')
  const shown = JSON.stringify(shorten(name))
  if (unsupported.includes(name))
    report.error('CFG033', placeOf(at), `${shown} is a transport of V2Ray that is not supported`)
  else {
    const meant = otherNames[name.toLowerCase()] ?? Object.keys(transports).find((each) => each === name.toLowerCase())
    report.error('CFG025', placeOf(at), `found ${shown}: there is no such transport`, meant && `write "${meant}"`)
  }
  return ''
}

function securityName(fields: Fields, report: Report): 'tls' | 'utls' | undefined {
  const name = fields.text('security') ?? 'none'
  if (name === 'tls' || name === 'utls') return name
  if (name !== 'none') {
    const hint = /^u?tls$/i.test(name) ? `write "${name.toLowerCase()}"` : undefined
    report.error(
      'CFG025',
      placeOf(fields.origin('security')),
      `found ${JSON.stringify(shorten(name))}, expected "none", "tls" or "utls"`,
      hint,
    )
  } else if (fields.has('securitySettings')) {
    const message = '"securitySettings" without "security": the connection is not encrypted'
    report.warn('CFG030', placeOf(fields.origin('securitySettings')), message, 'write "security": "tls"')
  }
  return undefined
}

const sockoptKeys = [
  'mark',
  'tcpFastOpen',
  'tproxy',
  'acceptProxyProtocol',
  'tcpKeepAliveInterval',
  'tcpKeepAliveIdle',
  'tcpFastOpenQueueLength',
  'bindToDevice',
  'rxBufSize',
  'txBufSize',
  'forceBufSize',
  'mptcp',
]

function sockopt(at: Origin, report: Report): JsonNode {
  const fields = new Fields(at, sockoptKeys, report, { anyCase: true })
  for (const key of ['tcpFastOpenQueueLength', 'rxBufSize', 'txBufSize', 'forceBufSize']) {
    if (fields.has(key))
      report.warn('CFG030', placeOf(fields.origin(key)), `"${key}" has no effect: Node has no way to set it`)
  }
  return object(at, {
    mark: fields.node('mark'),
    tcpFastOpen: fields.node('tcpFastOpen'),
    tproxy: fields.node('tproxy'),
    acceptProxyProtocol: fields.node('acceptProxyProtocol'),
    tcpKeepAliveInterval: fields.node('tcpKeepAliveInterval'),
    tcpKeepAliveIdle: fields.node('tcpKeepAliveIdle'),
    interface: fields.has('bindToDevice') ? same(fields.origin('bindToDevice')) : undefined,
    tcpMptcp: fields.node('mptcp'),
  })
}
