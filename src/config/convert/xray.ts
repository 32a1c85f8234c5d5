/** Xray's dialect of V2Ray 4's format. */
import { mapStreams, writableEnds, writableRules } from './ends.ts'
import { keep } from './keep.ts'
import type { Losses } from './lost.ts'
import { withFinalmask } from './masks.ts'
import { xray } from './names.ts'
import { asList, asPlain, asText, isPlain, type Plain, without } from './plain.ts'

const transports = ['tcp', 'kcp', 'ws', 'grpc', 'httpupgrade', 'xhttp']

export function writeXray(root: Plain, losses: Losses): Plain {
  const ends = writableEnds(root, refusal, losses)
  const ruled = writableRules(ends, ruleFault, losses)
  const streams = mapStreams(ruled, (stream, path) => streamOf(stream, path, losses))
  const whole = without({
    ...withoutMatchers(streams),
    inbounds: streams.inbounds && asList(streams.inbounds).map((end) => inbound(asPlain(end))),
    outbounds: streams.outbounds && asList(streams.outbounds).map((end, i) => outbound(asPlain(end), i, losses)),
  })
  if (whole.reverse !== undefined) losses.say('reverse', whole.reverse, 'Xray has it for VLESS only')
  return asPlain(keep({ ...whole, reverse: undefined }, xray, '', 'Xray does not know it', losses))
}

/** How names are looked up decides nothing. */
function withoutMatchers(root: Plain): Plain {
  const bare = (value: unknown) => without({ ...asPlain(value), domainMatcher: undefined })
  const { routing, dns } = root
  return {
    ...root,
    ...(isPlain(routing) && { routing: { ...bare(routing), rules: asList(routing.rules).map(bare) } }),
    ...(isPlain(dns) && { dns: bare(dns) }),
  }
}

function refusal({ protocol, settings, streamSettings }: Plain): string | undefined {
  const stream = asPlain(streamSettings)
  const network = asText(stream.network) || 'tcp'
  if (!transports.includes(network)) return `Xray has no transport ${JSON.stringify(network)}`
  if (asPlain(stream.tlsSettings).verifyClientCertificate === true) return 'Xray does not ask clients for certificates'
  const users = [
    ...asList(asPlain(settings).clients),
    ...asList(asPlain(settings).vnext).flatMap((server) => asList(asPlain(server).users)),
  ].map(asPlain)
  if (protocol === 'vmess' && users.length > 0 && users.every(({ alterId }) => Number(alterId) > 0))
    return 'Xray has no legacy header, which an alterId above 0 asks for'
  return undefined
}

const ruleFault = (rule: Plain): string | undefined =>
  typeof rule.attrs === 'string' && rule.attrs !== '' ? 'Xray has no text as "attrs"' : undefined

const inbound = (end: Plain): Plain => {
  const { clients, ...settings } = asPlain(end.settings)
  if (end.protocol !== 'vmess' || clients === undefined) return end
  return { ...end, settings: { ...settings, clients: asList(clients).map(plainUser) } }
}

/** Xray takes one server and one user. */
function outbound(end: Plain, index: number, losses: Losses): Plain {
  const servers = asList(asPlain(end.settings).vnext).map(asPlain)
  if (end.protocol !== 'vmess' || servers.length === 0) return end
  const [first] = servers
  const users = asList(first!.users)
  const at = `outbounds[${index}].settings.vnext`
  for (const [i, server] of servers.entries())
    if (i > 0)
      losses.say(
        `${at}[${i}]`,
        server.address,
        'Xray takes one server for each outbound: write further outbounds and a balancer',
      )
  for (const [i] of users.entries())
    if (i > 0) losses.say(`${at}[0].users[${i}]`, undefined, 'Xray takes one user for each server')
  return {
    ...end,
    settings: { ...asPlain(end.settings), vnext: [{ ...first, users: users.slice(0, 1).map(plainUser) }] },
  }
}

/** What means the same left out. */
const plainUser = (user: unknown): Plain => {
  const { alterId, ...rest } = asPlain(user)
  return Number(alterId) > 0 ? { ...rest, alterId } : rest
}

function verified(stream: Plain, path: string, losses: Losses): Plain {
  if (!isPlain(stream.tlsSettings) || stream.tlsSettings.allowInsecure === undefined) return stream
  const { allowInsecure, ...tlsSettings } = stream.tlsSettings
  if (allowInsecure === true) losses.say(`${path}.tlsSettings.allowInsecure`, true, forbidden)
  return { ...stream, tlsSettings }
}

const forbidden = 'Xray has removed it: certificates are verified; pin yours with "pinnedPeerCertSha256"'

function streamOf(given: Plain, path: string, losses: Losses): Plain {
  const stream = verified(given, path, losses)
  if (stream.network === 'kcp') return withFinalmask(stream)
  if (stream.network !== 'ws' || !isPlain(stream.wsSettings)) return stream
  const { maxEarlyData, earlyDataHeaderName, headers, ...rest } = stream.wsSettings
  const named = Object.entries(asPlain(headers))
  const isHost = ([name]: readonly [string, unknown]) => name.toLowerCase() === 'host'
  const others = named.filter((entry) => !isHost(entry))
  const bytes = Number(maxEarlyData ?? 0)
  const inPath = /[?&]ed=\d/.test(asText(rest.path))
  const header = asText(earlyDataHeaderName)
  if (bytes > 0 && !inPath && header.toLowerCase() !== 'sec-websocket-protocol')
    losses.say(
      `${path}.wsSettings.maxEarlyData`,
      maxEarlyData,
      'Xray has early data in Sec-WebSocket-Protocol only: none is sent',
    )
  const early = bytes > 0 && !inPath && header.toLowerCase() === 'sec-websocket-protocol' ? `?ed=${bytes}` : ''
  const base = asText(rest.path) || '/'
  return {
    ...stream,
    wsSettings: without({
      ...rest,
      path: early === '' ? rest.path : base.includes('?') ? `${base}&${early.slice(1)}` : `${base}${early}`,
      host: rest.host || named.find(isHost)?.[1],
      headers: others.length > 0 ? Object.fromEntries(others) : undefined,
    }),
  }
}
