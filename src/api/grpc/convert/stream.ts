import { type Kinds, settingsKey } from '../../../kinds/kinds.ts'
import type { Family, Fields } from '../../../messages/fields.ts'
import { isOfForm } from '../../../messages/form.ts'
import { unavailable } from '../../../messages/status.ts'
import { given, hostOf } from '../../../messages/values.ts'
import { sockoptJson } from './sockopt.ts'

/** V2Ray's old numbers of transports. */
const networks = ['tcp', 'udp', 'mkcp', 'websocket', 'http', 'domainsocket'] as const

/** A StreamConfig as `streamSettings`. */
export function streamJson(fields: Fields | undefined, family: Family, kinds: Kinds): Record<string, unknown> {
  if (!fields) return {}
  const network = networkOf(fields)
  const transports = fields.messages('transport_settings').map((entry) => transportJson(entry, kinds))
  const sockopt = fields.message('socket_settings')
  return given({
    network: network === 'tcp' ? '' : network,
    ...Object.assign({}, ...transports),
    ...securityJson(fields, kinds),
    sockopt: sockopt && sockoptJson(sockopt, family),
    address: hostOf(fields.message('address')),
    port: fields.number('port'),
  })
}

const networkOf = (fields: Fields): string => {
  const old = fields.number('protocol')
  return fields.text('protocol_name') || (networks[old] ?? `transport ${old}`)
}

function transportJson(fields: Fields, { transports }: Kinds): object {
  const network = networkOf(fields)
  const settings = fields.typed('settings')
  if (!settings) return {}
  for (const kind of transports) {
    const form = [kind.message ?? []].flat().find((message) => isOfForm(message, settings))
    if (form) return { [settingsKey(kind)]: form.json(settings) }
  }
  throw unavailable(`"${settings.type}" for ${network}`)
}

/** Of several settings the type says which one holds; the others would be without effect, and are refused. */
function securityJson(fields: Fields, { tls }: Kinds): object {
  const wanted = fields.text('security_type')
  const settings = fields.typedList('security_settings')
  const type = wanted.slice(wanted.lastIndexOf('/') + 1)
  for (const entry of settings) if (entry.type !== type) throw unavailable(`"${entry.type}" beside "${type}"`)
  if (type === '' || type === 'none') return {}
  if (!type.endsWith(tls.message.name) && type !== 'tls') throw unavailable(`"${type}"`)
  const [written] = settings
  return { security: 'tls', tlsSettings: written && tls.message.json(written) }
}
