import { type Address, formatAddress } from '../../core/address.ts'
import type { Conn } from '../../core/conn.ts'
import type { UdpListener, UdpListening } from '../../core/datagrams/packet.ts'
import type { Listener, Listening } from '../../core/dialer.ts'
import type { Env } from '../../core/env.ts'
import { ProxyError } from '../../core/errors.ts'
import type { KcpConfig } from '../../settings/kcp.ts'
import { KcpConnections } from './server.ts'
import { formsOf } from './wrapping.ts'

/**
 * Sockets that are open, by address. Accepted connections live on when nobody listens any more, and they need theirs: who
 * listens there next, perhaps with other settings, gets the same.
 */
export type KcpSockets = Map<string, KcpSocket>

export const kcpListener = (udp: UdpListener, sockets: KcpSockets, config: KcpConfig, env: Env): Listener => ({
  async listen(at: Address, accept: (conn: Conn) => void): Promise<Listening> {
    if (at.path !== undefined) throw new ProxyError('LISTEN_FAILED', 'mKCP does not go through a unix socket')
    const known = at.port === 0 ? undefined : sockets.get(formatAddress(at))
    if (known?.free) return known.serve(config, env, accept)
    const socket = new KcpSocket((key) => sockets.delete(key))
    await socket.open(udp, at)
    sockets.set(socket.key, socket)
    return socket.serve(config, env, accept)
  },
})

/** One UDP socket with all connections on it, those of earlier settings included. */
export class KcpSocket {
  readonly #closed: (key: string) => void
  #listening: UdpListening | undefined
  /** The newest is the first. */
  #ways: readonly KcpConnections[] = []
  /** Those that take new ones. */
  #current: readonly KcpConnections[] = []
  key = ''

  constructor(closed: (key: string) => void) {
    this.#closed = closed
  }

  /** Nobody listens here, but connections live on. */
  get free(): boolean {
    return this.#current.length === 0 && this.#listening !== undefined
  }

  async open(udp: UdpListener, at: Address): Promise<void> {
    this.#listening = await udp.listen(at, (lent, from, listening) => this.#receive(lent, from, listening))
    this.key = formatAddress(this.#listening.address)
  }

  serve(config: KcpConfig, env: Env, accept: (conn: Conn) => void): Listening {
    const ways = formsOf(config).map((form) => new KcpConnections(form, env, () => this.#tidy()))
    for (const way of ways) way.accept = accept
    this.#current = ways
    this.#ways = [...ways, ...this.#ways]
    return {
      address: this.#listening!.address,
      close: async () => {
        for (const way of ways) way.accept = undefined
        if (this.#current === ways) this.#current = []
        this.#tidy()
      },
    }
  }

  #receive(lent: Uint8Array, from: Address, at: UdpListening): void {
    if (from.port === 0) return
    for (const way of this.#ways) if (way.receive(lent, from, at)) return
  }

  /** Closes what nobody needs. */
  #tidy(): void {
    this.#ways = this.#ways.filter((way) => this.#current.includes(way) || way.size > 0)
    if (this.#ways.length > 0) return
    this.#listening?.close()
    this.#listening = undefined
    this.#closed(this.key)
  }
}
