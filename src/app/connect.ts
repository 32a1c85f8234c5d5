import { builtin } from '../builtin/kinds.ts'
import { linkToOutbound, parseLink, type ShareLink } from '../config/link/share-link.ts'
import { configProblemError, loadConfigValue } from '../config/load.ts'
import { dialDeadline } from '../core/deadline.ts'
import type { Outbound } from '../core/dialer.ts'
import { lifetimeOf } from '../core/lifetime.ts'
import { type DuplexSocket, toSocket } from '../net/duplex-socket.ts'
import { buildOutbound, readTextFile } from './build/build.ts'
import { systemClock, systemEnv } from './env.ts'
import { systemResolver } from './names/system-resolver.ts'

export interface ConnectOptions {
  /** The target's IP address or domain name, resolved by the server. */
  readonly host: string
  /** 1 to 65535. */
  readonly port: number
  /** Cancels the dial; the stream itself is ended with destroy(). */
  readonly signal?: AbortSignal
}

/** How to reach a server: a share link, a parsed one, or a V2Ray/Xray outbound object. */
export type ServerSettings = string | ShareLink | { readonly protocol: 'vmess'; readonly settings: object }

/**
 * Opens a stream to `host:port` through a VMess server. Resolves when the server is reached; it does not wait for the
 * target, whose failure shows as an error on the stream.
 *
 * @returns a Node Duplex with true half-close: end() tells the target, and its answer still comes. It has what node:http
 * and node:tls expect of a socket, so that an `http.Agent` or `tls.connect({ socket })` can use it. Like every stream it
 * needs a listener for 'error'.
 * @throws ProxyError: LINK_INVALID or CONFIG_INVALID for the settings, the DIAL_ codes, TLS_FAILED, DNS_FAILED
 * @example
 * const stream = await connect('vmess://…', { host: 'example.com', port: 80 })
 * stream.on('error', (error) => console.error(error.message))
 * stream.end('GET / HTTP/1.0\r\nHost: example.com\r\n\r\n')
 * stream.pipe(process.stdout)
 */
export async function connect(server: ServerSettings, { host, port, signal }: ConnectOptions): Promise<DuplexSocket> {
  const outbound = outboundOf(server)
  const limit = dialDeadline(systemClock, signal && lifetimeOf(signal))
  try {
    return toSocket(await outbound.dial({ host, port }, { until: limit.until }), systemClock)
  } finally {
    limit.done()
  }
}

/** One for all connections of the process: they share what name servers have answered. */
const resolve = systemResolver(systemEnv())

function outboundOf(server: ServerSettings): Outbound {
  const link = typeof server === 'string' ? parseLink(server) : server
  const outbound = 'protocol' in link ? link : linkToOutbound(link)
  const { config, problems } = loadConfigValue({ outbounds: [outbound] })
  const [first] = config?.outbounds ?? []
  if (!first) throw configProblemError(problems)
  return buildOutbound(first, { kinds: builtin, env: systemEnv(), read: readTextFile, resolve })
}
