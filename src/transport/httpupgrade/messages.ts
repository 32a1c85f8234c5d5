/** httpupgrade in the messages of the gRPC API. */
import type { Typed } from '../../messages/fields.ts'
import { given } from '../../messages/values.ts'
import { headersOf } from '../upgrade/messages.ts'

/** V2Ray's early data is left, and so refused: what it sends is doubled beyond its limit. */
export function httpUpgradeJson({ fields, family }: Typed): object {
  const both = { path: fields.text('path'), host: fields.text('host'), headers: headersOf(fields, family) }
  if (family === 'v2ray') return given({ ...both, parseXForwardedFor: fields.flag('parse_x_forwarded_for') })
  const early = fields.number('ed')
  return given({
    ...both,
    path: early > 0 ? withEarlyData(both.path, early) : both.path,
    acceptProxyProtocol: fields.flag('accept_proxy_protocol'),
  })
}

/** As a file says it. */
const withEarlyData = (path: string, bytes: number): string => `${path}${path.includes('?') ? '&' : '?'}ed=${bytes}`
