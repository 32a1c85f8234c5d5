import { formatAddress } from '../../core/address.ts'
import { type Conn, type ConnInfo, type HalfClose, rootInfo } from '../../core/conn.ts'
import type { Layer, Passage } from '../../core/dialer.ts'
import type { Clock } from '../../core/env.ts'
import { isProxyError, ProxyError, toProxyError } from '../../core/errors.ts'
import { limits } from '../../core/limits.ts'
import { prefixed } from '../../core/streams/prefixed.ts'
import { toldAs } from '../../core/streams/told-as.ts'
import { ProxyHeaderReader } from '../../protocol/proxyprotocol/reader.ts'

export interface ProxyProtocolDeps {
  readonly clock: Clock
  /** The time that a client has for its handshake; for the header it has no more than `limits.proxyHeaderMs`. */
  readonly handshakeTimeoutMs: number
  /** Told of connections that began otherwise, once each. */
  readonly onFailedHandshake: (remote: string, error: ProxyError) => void
  /** Told who is really at the other end of a connection that was accepted. */
  readonly onClientAddress: (carrier: ConnInfo, remote: string) => void
}

/**
 * Every connection begins with a PROXY protocol header, and who it names is the client from then on. Any other is closed at
 * once, as V2Ray does. Lies under everything, TLS included.
 */
export const proxyProtocolLayer = (deps: ProxyProtocolDeps): Layer => ({
  name: 'proxyprotocol',
  client: (base) => base,
  server: (accept) => new Headers(deps, accept),
})

class Headers implements Passage {
  readonly #deps: ProxyProtocolDeps
  readonly #accept: (conn: Conn) => void
  readonly #all = new Set<Conn>()

  constructor(deps: ProxyProtocolDeps, accept: (conn: Conn) => void) {
    this.#deps = deps
    this.#accept = accept
  }

  get pending(): number {
    return this.#all.size
  }

  receive(carrier: Conn): void {
    if (carrier.gone) return
    this.#all.add(carrier)
    void this.#read(carrier).then((conn) => {
      this.#all.delete(carrier)
      if (conn && !conn.gone) this.#accept(conn)
    })
  }

  close(): void {
    for (const carrier of this.#all) carrier.destroy()
  }

  /** Undefined when there is no connection, and the carrier is destroyed. */
  async #read(carrier: Conn): Promise<Conn | undefined> {
    const { clock, handshakeTimeoutMs, onFailedHandshake } = this.#deps
    const ms = Math.min(handshakeTimeoutMs, limits.proxyHeaderMs)
    const late = new ProxyError('HANDSHAKE_TIMEOUT', `no PROXY protocol header within ${ms / 1000} s`)
    const cancel = clock.after(ms, () => carrier.destroy(late))
    const reader = new ProxyHeaderReader()
    try {
      for (let bytes = await carrier.read(); bytes; bytes = await carrier.read()) {
        const read = reader.push(bytes)
        if (read) return this.#opened(carrier, read.header.source && formatAddress(read.header.source), read.rest)
      }
      // Probes come and go without a word.
      if (reader.started)
        throw new ProxyError('PROXY_HEADER_INVALID', 'the connection ended in its PROXY protocol header')
    } catch (error) {
      const told = toProxyError(error, 'CONN_CLOSED')
      const worth = isProxyError(error) && (told.code === 'PROXY_HEADER_INVALID' || told.code === 'HANDSHAKE_TIMEOUT')
      if (worth) onFailedHandshake(carrier.info.remote, told)
    } finally {
      cancel()
    }
    carrier.destroy()
    return undefined
  }

  #opened(carrier: Conn, remote: string | undefined, rest: Uint8Array): Conn {
    const conn = prefixed(carrier, rest)
    if (remote === undefined) return conn
    this.#deps.onClientAddress(rootInfo(carrier.info), remote)
    return toldAs(conn, new RealInfo(carrier.info, remote))
  }
}

/** What a connection says of itself, but for who is at the other end. */
class RealInfo implements ConnInfo {
  readonly remote: string
  readonly #base: ConnInfo

  constructor(base: ConnInfo, remote: string) {
    this.#base = base
    this.remote = remote
  }

  get carrier(): ConnInfo {
    return rootInfo(this.#base)
  }

  get local(): string {
    return this.#base.local
  }

  get layers(): readonly string[] {
    return this.#base.layers
  }

  get halfClose(): HalfClose {
    return this.#base.halfClose
  }
}
