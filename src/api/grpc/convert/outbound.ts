/** An OutboundHandlerConfig of either family as an entry of `outbounds`; the loader says what is wrong with it. */

import { domainStrategies } from '../../../core/domain-strategy.ts'
import type { Kinds } from '../../../kinds/kinds.ts'
import type { Fields, Typed } from '../../../messages/fields.ts'
import { isOfForm } from '../../../messages/form.ts'
import { invalid, unavailable } from '../../../messages/status.ts'
import { given, hostOf, wordOf } from '../../../messages/values.ts'
import { streamJson } from './stream.ts'

/** @throws StatusError for what has no place in the JSON form */
export function outboundJson(outbound: Fields, kinds: Kinds): { tag: string } {
  const tag = outbound.text('tag')
  // For people only; nothing depends on it.
  outbound.text('comment')
  const proxy = outbound.mustHaveTyped('proxy_settings')
  const sender = outbound.typed('sender_settings')
  const kind = kinds.outbounds.find(({ message }) => message && isOfForm(message, proxy))
  if (!kind?.message) throw unavailable(`"${proxy.type}" as an outbound`)
  if (sender && sender.name !== 'app.proxyman.SenderConfig') throw invalid(`"${sender.type}" is not a SenderConfig`)
  const said = { protocol: kind.kind, settings: kind.message.json(proxy) }
  const json = { tag, ...said, ...(sender && senderJson(sender, kinds)) }
  outbound.end()
  return json
}

function senderJson({ fields, family }: Typed, kinds: Kinds): object {
  const through = fields.message('proxy_settings')
  const mux = fields.message('multiplex_settings')
  const strategy = wordOf(fields, family === 'xray' ? 'target_strategy' : 'domain_strategy', domainStrategies)
  return given({
    sendThrough: hostOf(fields.message('via')),
    streamSettings: streamJson(fields.message('stream_settings'), family, kinds),
    proxySettings: through && given({ tag: through.text('tag'), transportLayer: through.flag('transportLayerProxy') }),
    mux:
      mux &&
      given({
        enabled: mux.flag('enabled'),
        concurrency: mux.number('concurrency'),
        xudpConcurrency: mux.number('xudpConcurrency'),
        xudpProxyUDP443: mux.text('xudpProxyUDP443'),
      }),
    targetStrategy: strategy === 'AsIs' ? '' : strategy,
  })
}
