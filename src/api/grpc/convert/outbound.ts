/** An OutboundHandlerConfig of either family as an entry of `outbounds`; the loader says what is wrong with it. */

import { formatAddress } from '../../../core/address.ts'
import { lookUp } from '../../../core/lookup.ts'
import type { Fields, Typed } from '../fields.ts'
import { invalid, unavailable } from '../status.ts'
import { streamJson } from './stream.ts'
import { domainStrategies, given, hostOf, wordOf } from './values.ts'
import { vmessOutboundJson } from './vmess.ts'

const proxies: Readonly<Record<string, (typed: Typed) => { protocol: string; settings: object }>> = {
  'proxy.vmess.outbound.Config': (typed) => ({ protocol: 'vmess', settings: vmessOutboundJson(typed) }),
  'proxy.freedom.Config': ({ fields }) => ({
    protocol: 'freedom',
    settings: given({
      domainStrategy: wordOf(fields, 'domain_strategy', domainStrategies),
      redirect: redirectOf(fields.message('destination_override')?.message('server')),
      proxyProtocol: fields.number('proxy_protocol'),
      timeout: fields.number('timeout'),
      userLevel: fields.number('user_level'),
    }),
  }),
  'proxy.blackhole.Config': ({ fields }) => ({
    protocol: 'blackhole',
    settings: given({ response: responseJson(fields.typed('response')) }),
  }),
}

/** @throws StatusError for what has no place in the JSON form */
export function outboundJson(outbound: Fields): { tag: string } {
  const tag = outbound.text('tag')
  // For people only; nothing depends on it.
  outbound.text('comment')
  const proxy = outbound.mustHaveTyped('proxy_settings')
  const sender = outbound.typed('sender_settings')
  const convert = lookUp(proxies, proxy.name)
  if (!convert) throw unavailable(`"${proxy.type}" as an outbound`)
  if (sender && sender.name !== 'app.proxyman.SenderConfig') throw invalid(`"${sender.type}" is not a SenderConfig`)
  const json = { tag, ...convert(proxy), ...(sender && senderJson(sender)) }
  outbound.end()
  return json
}

function senderJson({ fields, family }: Typed): object {
  const through = fields.message('proxy_settings')
  const mux = fields.message('multiplex_settings')
  const strategy = wordOf(fields, family === 'xray' ? 'target_strategy' : 'domain_strategy', domainStrategies)
  return given({
    sendThrough: hostOf(fields.message('via')),
    streamSettings: streamJson(fields.message('stream_settings'), family),
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

function redirectOf(server: Fields | undefined): string {
  if (!server) return ''
  return formatAddress({ host: hostOf(server.message('address')), port: server.number('port') })
}

function responseJson(response: Typed | undefined): object | undefined {
  if (!response || response.name === 'proxy.blackhole.NoneResponse') return undefined
  if (response.name === 'proxy.blackhole.HTTPResponse') return { type: 'http' }
  throw invalid(`"${response.type}" is no response of a blackhole`)
}
