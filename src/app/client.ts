import { builtin } from '../builtin/kinds.ts'
import { linkToOutbound, parseLink, type ShareLink } from '../config/link/share-link.ts'
import { configProblemError, loadConfigValue } from '../config/load.ts'
import type { PacketConn } from '../core/datagrams/packet.ts'
import type { Outbound } from '../core/dialer.ts'
import { ProxyError } from '../core/errors.ts'
import { forever, Life, lifetimeOf } from '../core/lifetime.ts'
import { dialDeadline } from '../core/time/deadline.ts'
import { DatagramSocket } from '../net/datagrams/datagram-socket.ts'
import { type DuplexSocket, toSocket } from '../net/streams/duplex-socket.ts'
import { buildOutbound, readTextFile } from './build/build.ts'
import { systemClock, systemEnv } from './instance/env.ts'
import { systemResolver } from './names/system-resolver.ts'

export interface ConnectOptions {
  /** The target's IP address or domain name, resolved by the server. */
  readonly host: string
  /** 1 to 65535. */
  readonly port: number
  /** Cancels the dial; the stream itself is ended with destroy(). */
  readonly signal?: AbortSignal
}

export interface PacketOptions {
  /** Ends the socket when it is aborted. */
  readonly signal?: AbortSignal
}

/** How to reach a server: a share link, a parsed one, or a V2Ray/Xray outbound object. */
export type ServerSettings = string | ShareLink | ({ readonly protocol: 'vmess'; readonly settings: object } & StreamOf)

/** What goes with it; checked when the client is made. */
type StreamOf = { readonly [Part in 'streamSettings' | 'mux' | 'proxySettings']?: object } & {
  readonly tag?: string
  readonly packetEncoding?: string
}

/** One for all clients of the process: they share what name servers have answered. */
const resolve = systemResolver(systemEnv())

/**
 * A client of one server, made once for many streams: settings are checked, keys derived and certificates read when it is
 * made, where `connect()` does all of it for every stream. What it learns lasts as long as it does: which of several
 * servers cannot be reached, and the port and user that a server with a detour has sent it to.
 */
export class Client implements AsyncDisposable {
  readonly #outbound: Outbound
  readonly #life = new Life()

  /** @throws ProxyError LINK_INVALID or CONFIG_INVALID */
  constructor(server: ServerSettings) {
    this.#outbound = outboundOf(server)
  }

  /**
   * Opens a stream to `host:port` through the server; see `connect()`.
   *
   * @throws ProxyError: the DIAL_ codes, TLS_FAILED, DNS_FAILED, ADDRESS_INVALID; SHUTTING_DOWN after close()
   */
  async connect({ host, port, signal }: ConnectOptions): Promise<DuplexSocket> {
    const gone = this.#life.gone
    if (gone) throw gone
    const limit = dialDeadline(systemClock, signal && lifetimeOf(signal))
    const life = new Life()
    const leave = [limit.until.onGone((why) => life.end(why)), this.#life.onGone((why) => life.end(why))]
    try {
      return toSocket(await this.#outbound.dial({ host, port }, { until: life }), systemClock)
    } finally {
      for (const cancel of leave) cancel()
      limit.done()
    }
  }

  /**
   * A client socket for datagrams through the server: they go to many addresses, and come with the address of whoever has
   * sent them, as far as the encoding carries it (`packetEncoding` of the settings; what the server knows is found out).
   * Connections to the server are opened when datagrams need them. End it with destroy(), or by the signal.
   *
   * @throws ProxyError SHUTTING_DOWN after close()
   * @example
   * const packets = await client.packets()
   * packets.drainTo((bytes, from) => console.log(from.host, from.port, bytes.length)).catch(console.error)
   * packets.send(question, { host: '192.0.2.53', port: 53 })
   */
  async packets({ signal }: PacketOptions = {}): Promise<PacketConn> {
    const gone = this.#life.gone
    if (gone) throw gone
    const until = signal ? lifetimeOf(signal) : forever
    const conn = await this.#outbound.packets!.open({ until })
    conn.onGone(until.onGone((why) => conn.destroy(why)))
    return conn
  }

  /** The same for programs that expect a socket of node:dgram. Errors come as its `error` event. */
  packetSocket(options: PacketOptions = {}): DatagramSocket {
    return new DatagramSocket(this.packets(options))
  }

  /** Gives up streams that are being opened, and opens no more; those that are open live on. Idempotent. */
  close(): Promise<void> {
    this.#life.end(new ProxyError('SHUTTING_DOWN', 'the client was closed'))
    return this.#outbound.close()
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close()
  }
}

/**
 * A client of a server, to open many streams with.
 *
 * @throws ProxyError LINK_INVALID or CONFIG_INVALID
 * @example
 * const client = createClient('vmess://…')
 * const stream = await client.connect({ host: 'example.com', port: 80 })
 * stream.on('error', (error) => console.error(error.message))
 * stream.end('GET / HTTP/1.0\r\nHost: example.com\r\n\r\n')
 * stream.pipe(process.stdout)
 */
export const createClient = (server: ServerSettings): Client => new Client(server)

function outboundOf(server: ServerSettings): Outbound {
  const link = typeof server === 'string' ? parseLink(server) : server
  const outbound = 'protocol' in link ? link : linkToOutbound(link)
  const { config, problems } = loadConfigValue({ outbounds: [outbound] })
  const [first] = config?.outbounds ?? []
  if (!first) throw configProblemError(problems)
  return buildOutbound(first, { kinds: builtin, env: systemEnv(), read: readTextFile, resolve })
}
