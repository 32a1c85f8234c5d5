/** V2Ray 4's format, as V2Ray 4 and 5 read it. */
import { hasUserExpression, mapStreams, writableEnds, writableRules } from './ends.ts'
import { keep } from './keep.ts'
import { type Losses, pinsLost } from './lost.ts'
import { withHeaderAndSeed } from './masks.ts'
import { v2ray } from './names.ts'
import { asList, asPlain, asText, isEmpty, type Plain, without } from './plain.ts'

const transports = ['tcp', 'kcp', 'ws', 'h2', 'ds', 'grpc']

export function writeV4(root: Plain, losses: Losses): Plain {
  const ends = writableEnds(root, refusal, losses)
  const ruled = writableRules(ends, ruleFault, losses)
  const named = withoutMixed(inOldNames(ruled), losses)
  const streams = mapStreams(named, (stream, path) => streamOf(stream, path, losses))
  return asPlain(keep(balanced(streams, losses), v2ray, '', 'V2Ray does not know it', losses))
}

/** Why V2Ray cannot have this end. */
export function refusal({ streamSettings }: Plain): string | undefined {
  const stream = asPlain(streamSettings)
  const network = asText(stream.network) || 'tcp'
  if (!transports.includes(network)) return `V2Ray has no transport ${JSON.stringify(network)} in this format`
  if (network !== 'kcp' && !isEmpty(stream.finalmask)) return 'V2Ray has no "finalmask"'
  if (network === 'kcp' && !withHeaderAndSeed(stream)) return 'V2Ray has no mKCP that looks like this'
  return undefined
}

export function ruleFault(rule: Plain): string | undefined {
  for (const key of ['localIP', 'localPort'] as const)
    if (rule[key] !== undefined) return `V2Ray has no condition "${key}"`
  if (hasUserExpression(rule)) return 'V2Ray has no expressions in "user"'
  if (typeof rule.attrs === 'object' && !isEmpty(rule.attrs)) return 'V2Ray has no object as "attrs"'
  return undefined
}

/** Words of Xray that V2Ray spells differently. */
const inOldNames = (root: Plain): Plain => ({
  ...root,
  outbounds: asList(root.outbounds).map((each) => {
    const { targetStrategy, ...end } = asPlain(each)
    return without({ ...end, domainStrategy: targetStrategy })
  }),
})

function withoutMixed(root: Plain, losses: Losses): Plain {
  const inbounds = asList(root.inbounds).map((each, i) => {
    const end = asPlain(each)
    if (end.protocol !== 'mixed') return end
    losses.say(
      `inbounds[${i}].protocol`,
      'mixed',
      'V2Ray has SOCKS and HTTP on two ports: "socks" is written, an inbound for HTTP is yours to add',
    )
    return { ...end, protocol: 'socks' }
  })
  return without({ ...root, inbounds: root.inbounds === undefined ? undefined : inbounds })
}

function streamOf(given: Plain, path: string, losses: Losses): Plain {
  const stream = verified(given, path, losses)
  switch (stream.network) {
    case 'kcp':
      return withHeaderAndSeed(stream)!
    case 'h2':
      return { ...stream, network: 'http' }
    case 'ds':
      return { ...stream, network: 'domainsocket' }
    case 'grpc':
      if (asPlain(stream.grpcSettings).multiMode === true)
        losses.say(`${path}.grpcSettings.multiMode`, true, 'V2Ray has one mode, which servers take as well')
      return {
        ...stream,
        grpcSettings: without({ ...asPlain(stream.grpcSettings), multiMode: undefined }),
      }
    case 'ws':
      return {
        ...stream,
        ...(stream.wsSettings !== undefined && { wsSettings: webSocket(asPlain(stream.wsSettings)) }),
      }
    default:
      return stream
  }
}

function verified(stream: Plain, path: string, losses: Losses): Plain {
  const { allowInsecure, ...tlsSettings } = asPlain(stream.tlsSettings)
  const pinned = otherPins.some((key) => !isEmpty(tlsSettings[key]))
  if (allowInsecure !== true || !pinned || !isEmpty(tlsSettings.pinnedPeerCertificateChainSha256)) return stream
  losses.say(`${path}.tlsSettings.allowInsecure`, true, pinsLost)
  return { ...stream, tlsSettings }
}

/** Which V2Ray does not know. */
const otherPins = ['pinnedPeerCertSha256', 'pinnedPeerCertificatePublicKeySha256']

/** The host is a header here, and early data has fields of its own. */
export function webSocket({ host, ...given }: Plain): Plain {
  const headers = Object.fromEntries(
    Object.entries(asPlain(given.headers)).filter(([name]) => !host || name.toLowerCase() !== 'host'),
  )
  const [, path = asText(given.path), bytes] = /^([^?]*)\?ed=(\d{1,9})$/.exec(asText(given.path)) ?? []
  return without({
    ...given,
    path: given.path === undefined ? undefined : path,
    headers: host ? { ...headers, Host: host } : given.headers,
    ...(bytes && {
      maxEarlyData: Number(bytes) || undefined,
      earlyDataHeaderName:
        Number(bytes) > 0 ? asText(given.earlyDataHeaderName) || 'Sec-WebSocket-Protocol' : undefined,
    }),
  })
}

function balanced(root: Plain, losses: Losses): Plain {
  const routing = asPlain(root.routing)
  if (routing.balancers === undefined) return root
  const balancers = asList(routing.balancers).map((each, i) => {
    const { strategy, ...balancer } = asPlain(each)
    const type = asText(asPlain(strategy).type)
    if (type.toLowerCase() !== 'roundrobin') return asPlain(each)
    losses.say(`routing.balancers[${i}].strategy.type`, type, 'V2Ray has no turns: it chooses at random')
    return balancer
  })
  return { ...root, routing: { ...routing, balancers } }
}
