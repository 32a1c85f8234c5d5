/** tcp in the messages of the gRPC API. */
import type { Typed } from '../../messages/fields.ts'
import { unavailable } from '../../messages/status.ts'
import { given } from '../../messages/values.ts'

export function tcpJson({ fields }: Typed): object {
  const header = fields.typed('header_settings')
  return given({
    acceptProxyProtocol: fields.flag('accept_proxy_protocol'),
    header: header && { type: headerType(header) },
  })
}

/** Other headers are unknown messages, and have been refused by their name. */
function headerType({ name, type }: Typed): string {
  if (name.startsWith('transport.internet.headers.noop.')) return 'none'
  throw unavailable(`"${type}"`)
}
