/** `sockopt`: options of the sockets. */
import { z } from 'zod'
import { parseNetwork } from '../core/networks.ts'
import type { Context } from '../schema/context.ts'
import { anyObject, flag, integer, object, refused, stringList, text, withoutEffect } from '../schema/fields.ts'
import { shorten } from '../schema/report.ts'
import type { SockoptConfig } from '../settings/model.ts'
import type { ProxyTrust } from '../settings/trust.ts'

/** Seconds, on both ends: peers that vanished are noticed even where the idle limit is long. */
const defaultIdleS = 45

const seconds = (description: string) => integer(-2147483648, 2147483647, description)
const size = (description: string) => integer(0, 2147483647, description)
const unset = 'Node cannot set it on a socket'
const loops = 'it cannot be set, and without it connections can lead back into the tunnel'
const later = { code: 'CFG033' as const }

export const sockoptSchema = object({
  tcpKeepAliveIdle: seconds('Seconds of silence before the first keep-alive probe; negative: off. Default: 45.'),
  tcpKeepAliveInterval: seconds('Seconds between probes; negative: keep-alive off.'),
  mark: refused(size('SO_MARK for routing by the firewall.'), loops, { unless: [0] }),
  interface: refused(text('Network interface to use.'), loops),
  bindToDevice: refused(text('V2Ray’s name of interface.'), loops),
  tproxy: refused(text('redirect or tproxy.'), 'the original destination of a redirected connection cannot be read', {
    unless: ['', 'off', 'Off', 'OFF'],
  }),
  acceptProxyProtocol: refused(
    flag('Expect a PROXY protocol header on every connection.'),
    'the PROXY protocol is not available in this version, and without it every client would seem to be the balancer',
    later,
  ),
  dialerProxy: refused(
    text('Tag of an outbound to connect through.'),
    'chains of outbounds are not available in this version',
    later,
  ),
  domainStrategy: refused(text('How the name of the server is resolved.'), 'it is not available in this version', {
    ...later,
    unless: ['', 'AsIs', 'asis'],
  }),
  addressPortStrategy: refused(text('SRV or TXT look-up of the server.'), 'it is not available in this version', {
    ...later,
    unless: ['', 'none'],
  }),
  trustedProxies: stringList(
    'Our own, of a server: addresses and networks of proxies, and unix for unix sockets, that are believed where a client is (X-Forwarded-For). Default: 127.0.0.0/8, ::1 and unix.',
  ),
  trustedXForwardedFor: stringList('Of a server: headers that make X-Forwarded-For trustworthy whoever sends it.'),
  happyEyeballs: withoutEffect(anyObject('Race of IPv4 and IPv6.'), 'Node’s own race is used'),
  tcpFastOpen: withoutEffect(z.union([z.boolean(), z.int()]).describe('TCP fast open.'), unset, [false, 0, -1]),
  tcpUserTimeout: withoutEffect(size('Milliseconds.'), unset, [0]),
  tcpMaxSeg: withoutEffect(size('Bytes.'), unset, [0]),
  tcpWindowClamp: withoutEffect(size('Bytes.'), unset, [0]),
  tcpCongestion: withoutEffect(text('Congestion control.'), unset, ['']),
  tcpMptcp: withoutEffect(flag('Multipath TCP.'), unset),
  mptcp: withoutEffect(flag('Multipath TCP.'), unset),
  tcpNoDelay: withoutEffect(flag('Send small segments at once.'), 'it is always on', [true]),
  customSockopt: withoutEffect(z.array(z.unknown()).describe('Other options.'), unset),
  rxBufSize: withoutEffect(size('Bytes.'), unset, [0]),
  txBufSize: withoutEffect(size('Bytes.'), unset, [0]),
  V6Only: withoutEffect(flag('IPv6 only.'), 'listen on an IPv6 address instead'),
  penetrate: withoutEffect(flag('For xhttp.'), 'it belongs to another transport'),
}).describe('Options of the sockets.')

type Input = z.output<typeof sockoptSchema>

const trustFields = ['trustedProxies', 'trustedXForwardedFor'] as const

/** Whom a server believes. */
export function buildTrust(input: Input | undefined, { report }: Context): ProxyTrust {
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
export function trustWithoutEffect(input: Input | undefined, why: string, { report }: Context): void {
  for (const key of trustFields) {
    if (input?.[key] !== undefined && listOf(input[key]).length > 0)
      report.warn('CFG030', report.at(input, key), `"${key}" has no effect: ${why}`)
  }
}

export function buildSockopt(input: Input | undefined, { report }: Context): SockoptConfig {
  const idle = input?.tcpKeepAliveIdle || defaultIdleS
  const interval = input?.tcpKeepAliveInterval ?? 0
  if (interval > 0) {
    report.warn('CFG030', report.at(input!, 'tcpKeepAliveInterval'), `"tcpKeepAliveInterval": ${unset}`)
  }
  return { tcpKeepAliveIdleS: interval < 0 ? -1 : idle }
}
