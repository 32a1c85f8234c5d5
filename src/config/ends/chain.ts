/** How an outbound's connections leave: through another outbound, or from which address. */
import { formatHost, type Host, hostFromIP, parseHost } from '../../core/address.ts'
import { type Kinds, plainTransport, socketOf } from '../../kinds/kinds.ts'
import type { Context } from '../../schema/context.ts'
import { address, flag, noted, object, text } from '../../schema/fields.ts'
import { type Place, shorten } from '../../schema/report.ts'
import type { OutboundStreamConfig, SendThroughConfig, ThroughConfig } from '../../settings/model.ts'

export const chainFields = () => ({
  sendThrough: noted(address('IP address of this machine to connect from, or a network to draw one from.'), {
    expected: 'an IP address in double quotes',
  }),
  proxySettings: object(() => ({
    tag: text('Tag of the outbound to connect through.'),
    transportLayer: flag('Keep the own transport, and not TLS alone. Default: false.'),
  })).describe('Connects through another outbound.'),
})

interface ChainInput {
  readonly proxySettings?:
    | { readonly tag?: string | undefined; readonly transportLayer?: boolean | undefined }
    | undefined
  readonly sendThrough?: string | undefined
  readonly streamSettings?:
    | {
        readonly network?: string | undefined
        readonly sockopt?: { readonly dialerProxy?: string | undefined } | undefined
      }
    | undefined
}

/** The outbound that the connections go through, and where that is said. */
export interface Chain {
  readonly through: ThroughConfig
  readonly place: Place
}

/** `proxySettings` and `sockopt.dialerProxy`; undefined where neither says anything, or after an error. */
export function readChain(input: ChainInput & object, context: Context): Chain | undefined {
  const { report } = context
  const { proxySettings, streamSettings } = input
  const sockopt = streamSettings?.sockopt
  const dialerProxy = sockopt?.dialerProxy || undefined
  if (!proxySettings) {
    if (!dialerProxy) return undefined
    return {
      through: { tag: dialerProxy, withoutTransport: false },
      place: report.at(sockopt!, 'dialerProxy'),
    }
  }
  const place = report.at(proxySettings, 'tag')
  const { tag, transportLayer = false } = proxySettings
  if (!tag) {
    if (!report.wrote(proxySettings, 'tag') || tag === '') {
      report.error('CFG024', place, '"proxySettings" has no "tag"; expected the tag of another outbound')
    }
    return undefined
  }
  if (dialerProxy) {
    const message = '"dialerProxy" and "proxySettings" both name a way: Xray refuses this'
    report.error('CFG035', report.at(sockopt!, 'dialerProxy'), message, 'leave one of them out')
    return undefined
  }
  return { through: { tag, withoutTransport: !transportLayer }, place }
}

/** Says what a chain leaves without effect. */
export function checkChained(
  chain: Chain,
  input: ChainInput & object,
  stream: OutboundStreamConfig | undefined,
  kinds: Kinds,
  { report }: Context,
): void {
  const { withoutTransport } = chain.through
  const plain = !stream || stream.network === plainTransport(kinds)?.name
  if (withoutTransport && !plain) {
    const message = `the transport ${stream.network} is not used: without "transportLayer" only TLS is kept, as in V2Ray and Xray`
    report.warn('CFG104', chain.place, message, 'write "transportLayer": true beside "tag", if the server expects it')
  }
  if (stream && !withoutTransport && socketOf(stream, kinds) !== undefined) {
    report.error('CFG031', chain.place, 'a unix socket of this machine cannot be reached through another outbound')
  }
  if (input.sendThrough && !isAny(input.sendThrough)) {
    const place = report.at(input, 'sendThrough')
    report.warn('CFG030', place, '"sendThrough" has no effect: the connections leave by another outbound')
  }
}

const isAny = (text: string): boolean => ['', '0.0.0.0', '::'].includes(text.trim())

/** An address, a network such as 10.0.0.0/24, or nothing. */
export function readSendThrough(input: ChainInput & object, { report }: Context): SendThroughConfig | undefined {
  const written = input.sendThrough?.trim() ?? ''
  if (isAny(written)) return undefined
  const place = report.at(input, 'sendThrough')
  if (written === 'origin' || written === 'srcip') {
    const what = written === 'origin' ? 'the address that a client has come to' : 'the address of the client'
    report.error('CFG031', place, `"sendThrough": ${what} cannot be taken here`, 'write an IP address of this machine')
    return undefined
  }
  const [, host = written, prefix] = /^([^/]*)\/(\d{1,3})$/.exec(written) ?? []
  const parsed = parseHost(host)
  const most = parsed.kind === 'ipv4' ? 32 : 128
  const bits = prefix === undefined ? most : Number(prefix)
  if (parsed.kind === 'domain' || bits > most) {
    const message = `found ${JSON.stringify(shorten(written))}, expected an IP address of this machine, or a network of its own`
    report.error('CFG028', place, message)
    return undefined
  }
  return { host: formatHost(first(parsed, bits)), bits }
}

/** Without the bits behind those of the network. */
function first(host: Exclude<Host, { kind: 'domain' }>, bits: number): Host {
  const bytes = host.bytes.map((byte, at) => {
    const own = Math.min(8, Math.max(0, bits - at * 8))
    return byte & (0xff << (8 - own))
  })
  return hostFromIP(bytes)
}
