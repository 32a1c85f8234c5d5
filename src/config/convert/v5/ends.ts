import { asPlain, asText, isEmpty, type Plain, without } from '../plain.ts'
import type { Taker } from '../taker.ts'
import { refusal as refusalOfV4 } from '../v4.ts'
import { inboundProtocol, outboundProtocol } from './protocols.ts'
import { writeStream } from './stream.ts'
import { numberOr, textOr } from './words.ts'

/** Why V2Ray 5 cannot have this end. */
export function refusal(end: Plain): string | undefined {
  const { network } = asPlain(end.streamSettings)
  if (network === 'httpupgrade') return undefined
  return refusalOfV4(end)
}

export function writeInbound(fields: Taker): Plain {
  const { protocol, settings } = inboundProtocol(fields)
  const listen = textOr(fields.text('listen'))
  const sniffing = fields.inside('sniffing')
  const sniffed = without({
    enabled: sniffing.take('enabled'),
    destOverride: sniffing.texts('destOverride'),
    metadataOnly: sniffing.take('metadataOnly'),
  })
  sniffing.end()
  fields.lose('allocate', 'ports that move need V2Ray 4’s format', [{ strategy: 'always' }])
  const written = without({
    protocol,
    port: fields.take('port'),
    listen,
    tag: textOr(fields.text('tag')),
    settings: isEmpty(settings) ? undefined : settings,
    sniffing: fields.value.sniffing === undefined ? undefined : sniffed,
    streamSettings: writeStream(fields.inside('streamSettings')),
  })
  fields.end()
  return written
}

const strategies: Readonly<Record<string, string>> = { useip: 'UseIP', useipv4: 'UseIP4', useipv6: 'UseIP6' }

export function writeOutbound(fields: Taker): Plain {
  const { protocol, settings, strategy } = outboundProtocol(fields)
  const proxy = fields.inside('proxySettings')
  const mux = fields.inside('mux')
  const shared = without({ enabled: mux.take('enabled'), concurrency: numberOr(mux.take('concurrency')) })
  mux.end()
  const through = without({ tag: textOr(proxy.text('tag')), transportLayer: proxy.take('transportLayer') })
  const wanted = asText(fields.take('targetStrategy')) || strategy
  const word = strategies[wanted.toLowerCase()]
  if (!word && wanted !== '' && wanted.toLowerCase() !== 'asis')
    fields.losses.say(`${fields.path}.targetStrategy`, wanted, 'V2Ray 5 has UseIP, UseIP4 and UseIP6 only')
  const stream = writeStream(fields.inside('streamSettings'), wanted)
  const written = without({
    protocol,
    tag: textOr(fields.text('tag')),
    sendThrough: textOr(fields.text('sendThrough')),
    settings: isEmpty(settings) ? undefined : settings,
    streamSettings: stream,
    proxySettings: isEmpty(through) ? undefined : through,
    mux: isEmpty(shared) ? undefined : shared,
    domainStrategy: word,
  })
  fields.lose('packetEncoding', 'V2Ray 5 chooses it with the inbound')
  fields.end()
  return written
}
