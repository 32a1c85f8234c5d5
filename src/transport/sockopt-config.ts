/** `sockopt`: options of the sockets. */
import { z } from 'zod'
import type { Context } from '../schema/context.ts'
import { anyObject, flag, integer, object, refused, stringList, text, withoutEffect } from '../schema/fields.ts'
import type { SockoptConfig } from '../settings/model.ts'

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
  trustedXForwardedFor: withoutEffect(
    stringList('Headers that make X-Forwarded-For trustworthy.'),
    'raw TCP has no such header',
  ),
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

export function buildSockopt(input: z.output<typeof sockoptSchema> | undefined, { report }: Context): SockoptConfig {
  const idle = input?.tcpKeepAliveIdle || defaultIdleS
  const interval = input?.tcpKeepAliveInterval ?? 0
  if (interval > 0) {
    report.warn('CFG030', report.at(input!, 'tcpKeepAliveInterval'), `"tcpKeepAliveInterval": ${unset}`)
  }
  return { tcpKeepAliveIdleS: interval < 0 ? -1 : idle }
}
