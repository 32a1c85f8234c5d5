/** tcp in the messages of the gRPC API. */
import type { Fields, Typed } from '../../messages/fields.ts'
import { unavailable } from '../../messages/status.ts'
import { given } from '../../messages/values.ts'

export function tcpJson({ fields }: Typed): object {
  const header = fields.typed('header_settings')
  return given({
    acceptProxyProtocol: fields.flag('accept_proxy_protocol'),
    header: header && headerJson(header),
  })
}

/** Other headers are unknown messages, and have been refused by their name. */
function headerJson({ name, type, fields }: Typed): object {
  if (name.startsWith('transport.internet.headers.noop.')) return { type: 'none' }
  if (name !== 'transport.internet.headers.http.Config') throw unavailable(`"${type}"`)
  const request = fields.message('request')
  const response = fields.message('response')
  return {
    type: 'http',
    ...given({ request: request && requestJson(request), response: response && responseJson(response) }),
  }
}

const requestJson = (fields: Fields): object =>
  given({
    version: fields.message('version')?.text('value'),
    method: fields.message('method')?.text('value'),
    path: fields.values<string>('uri'),
    headers: headersOf(fields),
  })

function responseJson(fields: Fields): object {
  const status = fields.message('status')
  return given({
    version: fields.message('version')?.text('value'),
    status: status?.text('code'),
    reason: status?.text('reason'),
    headers: headersOf(fields),
  })
}

const headersOf = (fields: Fields): Record<string, readonly string[]> =>
  Object.fromEntries(fields.messages('header').map((header) => [header.text('name'), header.values<string>('value')]))
