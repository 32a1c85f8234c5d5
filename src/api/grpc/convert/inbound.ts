/** An InboundHandlerConfig of either family as an entry of `inbounds`; the loader says what is wrong with it. */
import type { Kinds } from '../../../kinds/kinds.ts'
import type { Fields, Typed } from '../../../messages/fields.ts'
import { isOfForm } from '../../../messages/form.ts'
import { invalid, unavailable } from '../../../messages/status.ts'
import { given, hostOf, wordOf } from '../../../messages/values.ts'
import { streamJson } from './stream.ts'

/** @throws StatusError for what has no place in the JSON form */
export function inboundJson(inbound: Fields, kinds: Kinds): { tag: string } {
  const tag = inbound.text('tag')
  const proxy = inbound.mustHaveTyped('proxy_settings')
  const receiver = inbound.mustHaveTyped('receiver_settings')
  const kind = kinds.inbounds.find(({ message }) => message && isOfForm(message, proxy))
  if (!kind?.message) throw unavailable(`"${proxy.type}" as an inbound`)
  if (receiver.name !== 'app.proxyman.ReceiverConfig') throw invalid(`"${receiver.type}" is not a ReceiverConfig`)
  const json = { tag, protocol: kind.kind, settings: kind.message.json(proxy), ...receiverJson(receiver, kinds) }
  inbound.end()
  return json
}

function receiverJson({ fields, family }: Typed, kinds: Kinds): object {
  const ranges = family === 'xray' ? fields.message('port_list')?.messages('range') : [fields.message('port_range')]
  const sniffing = fields.message('sniffing_settings')
  const allocation = fields.message('allocation_strategy')
  return given({
    port: (ranges ?? []).flatMap((range) => (range ? [rangeText(range)] : [])).join(','),
    listen: hostOf(fields.message('listen')),
    streamSettings: streamJson(fields.message('stream_settings'), family, kinds),
    domainOverride: fields.values<number>('domain_override').map((known) => (known === 0 ? 'http' : 'tls')),
    sniffing:
      sniffing &&
      given({
        enabled: sniffing.flag('enabled'),
        destOverride: sniffing.values<string>('destination_override'),
        metadataOnly: sniffing.flag('metadata_only'),
        routeOnly: sniffing.flag('route_only'),
      }),
    allocate:
      allocation &&
      given({
        strategy: wordOf(allocation, 'type', ['always', 'random', 'external']),
        concurrency: allocation.message('concurrency')?.number('value'),
        refresh: allocation.message('refresh')?.number('value'),
      }),
  })
}

function rangeText(range: Fields): string {
  const from = range.number('From')
  const to = range.number('To')
  return from === to ? String(from) : `${from}-${to}`
}
