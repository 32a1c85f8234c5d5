/** `sockopt`: options of the sockets. `dialerProxy` is read with the outbound, whose affair it is. */
import { z } from 'zod'
import { parseNetwork } from '../core/networks.ts'
import type { Context } from '../schema/context.ts'
import { acceptProxyProtocol, flag, idle, integer, object, refused, stringList, text } from '../schema/fields.ts'
import { readStrategy, strategyField } from '../schema/parts/strategy.ts'
import { shorten } from '../schema/report.ts'
import type { InboundSockoptConfig, OutboundSockoptConfig, RaceConfig, SockoptConfig } from '../settings/model.ts'
import type { ProxyTrust } from '../settings/trust.ts'

/** Seconds, on both ends: peers that vanished are noticed even where the idle limit is long. */
const defaultIdleS = 45

const seconds = (description: string) => integer(-2147483648, 2147483647, description)
const size = (description: string) => integer(0, 2147483647, description)
const unset = 'Node cannot set it on a socket'
const loops = 'it cannot be set, and without it connections can lead back into the tunnel'
const byAddress = 'write the address of that interface as "sendThrough" of the outbound'
const transparent = 'leave it out, and let what redirects connections speak SOCKS to a socks inbound'
const later = { code: 'CFG033' as const }

const happyEyeballs = object(() => ({
  tryDelayMs: size('Milliseconds until the next address is tried beside the one before. 0: 250.'),
  prioritizeIPv6: flag('Begin with IPv6. Default: false.'),
  interleave: size('How many addresses of the first family come before one of the other. Default: 1.'),
  maxConcurrentTry: size('Attempts at once. Default: 4.'),
})).describe('Outbounds: how the addresses of a server’s name are tried. Default: as RFC 8305 says, IPv6 first.')

export const sockoptSchema = object(() => ({
  tcpKeepAliveIdle: seconds('Seconds of silence before the first keep-alive probe; negative: off. Default: 45.'),
  tcpKeepAliveInterval: seconds('Seconds between probes: negative switches keep-alive off, others have no effect.'),
  mark: refused(size('SO_MARK for routing by the firewall.'), loops, {
    unless: [0],
    hint: 'leave it out, run this program as a user of its own, and let the rules of the firewall pass that user: -m owner --uid-owner',
  }),
  interface: refused(text('Network interface to use.'), loops, { hint: byAddress }),
  bindToDevice: refused(text('V2Ray’s name of interface.'), loops, { hint: byAddress }),
  tproxy: refused(text('redirect or tproxy.'), 'the original destination of a redirected connection cannot be read', {
    unless: ['', 'off', 'Off', 'OFF'],
    hint: transparent,
  }),
  acceptProxyProtocol: acceptProxyProtocol(),
  dialerProxy: text('Outbounds: tag of another outbound that connections to the server go through.'),
  domainStrategy: strategyField('Outbounds: how the name of the server is resolved. Default: AsIs.'),
  addressPortStrategy: refused(text('SRV or TXT look-up of the server.'), 'it is not available in this version', {
    ...later,
    unless: ['', 'none'],
  }),
  happyEyeballs,
  V6Only: flag('Inbounds: an IPv6 address takes no IPv4. Default: false.'),
  trustedProxies: stringList(
    'Our own, of a server: addresses and networks of proxies, and unix for unix sockets, that are believed where a client is (X-Forwarded-For). Default: 127.0.0.0/8, ::1 and unix.',
  ),
  trustedXForwardedFor: stringList('Of a server: headers that make X-Forwarded-For trustworthy whoever sends it.'),
  tcpFastOpen: idle(z.union([z.boolean(), z.int()]).describe('TCP fast open.'), unset, [false, 0, -1]),
  tcpUserTimeout: idle(size('Milliseconds.'), unset, [0]),
  tcpMaxSeg: idle(size('Bytes.'), unset, [0]),
  tcpWindowClamp: idle(size('Bytes.'), unset, [0]),
  tcpCongestion: idle(text('Congestion control.'), unset, ['']),
  tcpMptcp: idle(flag('Multipath TCP.'), unset),
  mptcp: idle(flag('Multipath TCP.'), unset),
  tcpNoDelay: idle(flag('Send small segments at once.'), 'it is always on', [true]),
  customSockopt: idle(z.array(z.unknown()).describe('Other options.'), unset),
  rxBufSize: idle(size('Bytes.'), unset, [0]),
  txBufSize: idle(size('Bytes.'), unset, [0]),
  penetrate: idle(flag('For xhttp.'), 'it belongs to another transport'),
})).describe('Options of the sockets.')

export type SockoptInput = z.output<typeof sockoptSchema>

const trustFields = ['trustedProxies', 'trustedXForwardedFor'] as const

/** Whom a server believes. */
export function buildTrust(input: SockoptInput | undefined, { report }: Context): ProxyTrust {
  const proxies = input?.trustedProxies === undefined ? defaultProxies : listOf(input.trustedProxies)
  const networks = proxies.flatMap((text) => {
    if (text === 'unix') return []
    const network = parseNetwork(text)
    if (!network) {
      const message = `${JSON.stringify(shorten(text))} is no address, expected "10.0.0.0/8", "::1" or "unix"`
      report.error('CFG028', report.at(input!, 'trustedProxies'), message, 'names are not looked up: write addresses')
    }
    return network ?? []
  })
  return { networks, unix: proxies.includes('unix'), headers: listOf(input?.trustedXForwardedFor) }
}

const defaultProxies = ['127.0.0.0/8', '::1', 'unix']

const listOf = (value: string | readonly string[] = []): readonly string[] =>
  (typeof value === 'string' ? value.split(',') : value).map((text) => text.trim()).filter((text) => text !== '')

/** Says of `trust` that it has no effect there. */
export function trustWithoutEffect(input: SockoptInput | undefined, why: string, { report }: Context): void {
  for (const key of trustFields) {
    if (input?.[key] !== undefined && listOf(input[key]).length > 0)
      report.warn('CFG030', report.at(input, key), `"${key}" has no effect: ${why}`)
  }
}

function common(input: SockoptInput | undefined, { report }: Context): SockoptConfig {
  const idleS = input?.tcpKeepAliveIdle || defaultIdleS
  const interval = input?.tcpKeepAliveInterval ?? 0
  if (interval > 0) {
    report.warn('CFG030', report.at(input!, 'tcpKeepAliveInterval'), `"tcpKeepAliveInterval" has no effect: ${unset}`)
  }
  return { tcpKeepAliveIdleS: interval < 0 ? -1 : idleS }
}

/** Says which of these are for the other end. */
function notHere(
  input: SockoptInput,
  keys: readonly (keyof SockoptInput)[],
  where: 'inbounds' | 'outbounds',
  { report }: Context,
): void {
  const idleKeys = keys.filter((key) => input[key] && !isEmpty(input[key]))
  const [first] = idleKeys
  if (!first) return
  const names = idleKeys.map((key) => `"${key}"`).join(', ')
  const verb = idleKeys.length === 1 ? 'has' : 'have'
  report.warn('CFG030', report.at(input, first), `${names} ${verb} no effect: only ${where} use it`)
}

const isEmpty = (value: unknown): boolean => typeof value === 'object' && Object.keys(value!).length === 0

export function buildInboundSockopt(input: SockoptInput | undefined, context: Context): InboundSockoptConfig {
  if (input) notHere(input, ['dialerProxy', 'domainStrategy', 'happyEyeballs'], 'outbounds', context)
  return {
    ...common(input, context),
    ...(input?.acceptProxyProtocol && { acceptProxyProtocol: true }),
    ...(input?.V6Only && { v6Only: true }),
  }
}

export function buildOutboundSockopt(input: SockoptInput | undefined, context: Context): OutboundSockoptConfig {
  if (input) notHere(input, ['acceptProxyProtocol', 'V6Only'], 'inbounds', context)
  const place = input && context.report.at(input, 'domainStrategy')
  const strategy = place && readStrategy(input.domainStrategy, place, context)
  const race = input?.happyEyeballs && raceOf(input.happyEyeballs)
  return {
    ...common(input, context),
    ...(strategy && strategy !== 'AsIs' && { domainStrategy: strategy }),
    ...(race && { race }),
  }
}

/** Xray begins with IPv4 unless told otherwise. */
function raceOf(input: z.output<typeof happyEyeballs>): RaceConfig | undefined {
  if (Object.keys(input).length === 0) return undefined
  const { tryDelayMs = 0, prioritizeIPv6 = false, interleave = 1, maxConcurrentTry = 4 } = input
  return {
    ...(tryDelayMs > 0 && { delayMs: tryDelayMs }),
    first: prioritizeIPv6 ? 6 : 4,
    interleave: Math.max(interleave, 1),
    atOnce: Math.max(maxConcurrentTry, 1),
  }
}
