import { parseAddress } from '../../core/address.ts'
import type { Conn } from '../../core/conn.ts'
import type { Cancel, Clock } from '../../core/env.ts'
import { ConnDuplex } from './duplex.ts'

/**
 * A connected stream with everything that `node:http`, `node:tls` and their like call on a `net.Socket`. What
 * concerns the carrier's packets (`setNoDelay`, `setKeepAlive`) changes nothing: the carrier is set up already.
 */
export class DuplexSocket extends ConnDuplex {
  readonly connecting = false
  readonly pending = false
  /** Milliseconds that setTimeout() was given; undefined before, and after 0. */
  timeout: number | undefined
  bytesRead = 0
  bytesWritten = 0
  readonly #conn: Conn
  readonly #clock: Clock
  readonly #remote: Endpoint
  readonly #local: Endpoint
  #cancel: Cancel = nothing
  /** When bytes last passed, or the limit was set. */
  #activeAt = 0

  constructor(conn: Conn, clock: Clock) {
    super(conn)
    this.#conn = conn
    this.#clock = clock
    this.#remote = endpointOf(conn.info.remote)
    this.#local = endpointOf(conn.info.local)
  }

  /** The server's, through which the target is reached. */
  get remoteAddress(): string | undefined {
    return this.#remote.address
  }

  get remotePort(): number | undefined {
    return this.#remote.port
  }

  get remoteFamily(): string | undefined {
    return this.#remote.family
  }

  get localAddress(): string | undefined {
    return this.#local.address
  }

  get localPort(): number | undefined {
    return this.#local.port
  }

  get localFamily(): string | undefined {
    return this.#local.family
  }

  get readyState(): 'open' | 'readOnly' | 'writeOnly' | 'closed' {
    const readable = this.readable && !this.destroyed
    if (this.writable) return readable ? 'open' : 'writeOnly'
    return readable ? 'readOnly' : 'closed'
  }

  address(): { address?: string; port?: number; family?: string } {
    return { ...this.#local }
  }

  setNoDelay(_noDelay?: boolean): this {
    return this
  }

  setKeepAlive(_enable?: boolean, _initialDelay?: number): this {
    return this
  }

  /** The process stays alive for it, as it does from the beginning. */
  ref(): this {
    this.#conn.hold?.(true)
    return this
  }

  /** The process may end while it is open. */
  unref(): this {
    this.#conn.hold?.(false)
    return this
  }

  /** Has 'timeout' emitted when no byte has passed for `ms`, and again after as long; 0: never. Nothing is closed. */
  setTimeout(ms: number, onTimeout?: () => void): this {
    this.#cancel()
    this.#cancel = nothing
    this.timeout = ms > 0 ? ms : undefined
    if (onTimeout) {
      if (ms > 0) this.once('timeout', onTimeout)
      else this.off('timeout', onTimeout)
    }
    this.#touch()
    this.#wait()
    return this
  }

  /** Ends our half, and destroys the stream when everything written is out. */
  destroySoon(): void {
    if (this.writable) this.end()
    if (this.writableFinished) this.destroy()
    else this.once('finish', () => this.destroy())
  }

  /** As destroy(): a proxied connection has no reset of its own. */
  resetAndDestroy(): this {
    return this.destroy()
  }

  override push(chunk: Uint8Array | null, encoding?: BufferEncoding): boolean {
    this.bytesRead += chunk?.length ?? 0
    this.#touch()
    return super.push(chunk, encoding)
  }

  override _write(chunk: Uint8Array, encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.bytesWritten += chunk.length
    this.#touch()
    super._write(chunk, encoding, done)
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#cancel()
    super._destroy(error, done)
  }

  #touch(): void {
    if (this.timeout !== undefined) this.#activeAt = this.#clock.elapsed()
  }

  /** One timer however many bytes pass: it looks when the last of them did. */
  #wait(): void {
    const { timeout } = this
    if (timeout === undefined || this.destroyed) return
    // A wall clock that was set back must not make it wait for longer than once more.
    const idle = Math.max(0, this.#clock.elapsed() - this.#activeAt)
    this.#cancel = this.#clock.after(Math.max(1, timeout - idle), () => {
      if (this.#clock.elapsed() - this.#activeAt >= timeout) {
        this.#touch()
        this.emit('timeout')
      }
      this.#wait()
    })
  }
}

interface Endpoint {
  readonly address?: string
  readonly port?: number
  readonly family?: 'IPv4' | 'IPv6'
}

const nothing: Cancel = () => {}

/** Of `ip:port` as a Conn has it; nothing for unix sockets and what is unknown. */
function endpointOf(text: string): Endpoint {
  const parsed = parseAddress(text)
  if (!parsed || parsed.path !== undefined) return {}
  return { address: parsed.host, port: parsed.port, family: parsed.host.includes(':') ? 'IPv6' : 'IPv4' }
}

/** A stream for applications, `http.Agent` and `tls.connect({ socket })`. The Conn belongs to it from then on. */
export const toSocket = (conn: Conn, clock: Clock): DuplexSocket => new DuplexSocket(conn, clock)
