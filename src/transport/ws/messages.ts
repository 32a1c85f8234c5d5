/** ws in the messages of the gRPC API. */
import type { Typed } from '../../messages/fields.ts'
import { given } from '../../messages/values.ts'
import { headersOf } from '../upgrade/messages.ts'

export function wsJson({ fields, family }: Typed): object {
  const both = {
    path: fields.text('path'),
    headers: headersOf(fields, family),
    acceptProxyProtocol: fields.flag('accept_proxy_protocol'),
  }
  if (family === 'v2ray') {
    return given({
      ...both,
      maxEarlyData: fields.number('max_early_data'),
      earlyDataHeaderName: fields.text('early_data_header_name'),
      useBrowserForwarding: fields.flag('use_browser_forwarding'),
      parseXForwardedFor: fields.flag('parse_x_forwarded_for'),
    })
  }
  const maxEarlyData = fields.number('ed')
  return given({
    ...both,
    host: fields.text('host'),
    maxEarlyData,
    earlyDataHeaderName: maxEarlyData > 0 ? 'Sec-WebSocket-Protocol' : '',
    heartbeatPeriod: fields.number('heartbeatPeriod'),
  })
}
