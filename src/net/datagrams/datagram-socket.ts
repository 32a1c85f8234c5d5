import { EventEmitter } from 'node:events'
import { isIPv6 } from 'node:net'
import { type Address, parseAddress } from '../../core/address.ts'
import type { PacketConn } from '../../core/datagrams/packet.ts'
import { WaitingPackets } from '../../core/datagrams/waiting-packets.ts'
import { ProxyError } from '../../core/errors.ts'

/** Who has sent a datagram, as node:dgram says it. */
export interface DatagramSource {
  readonly address: string
  readonly family: 'IPv4' | 'IPv6'
  readonly port: number
  /** Bytes of the datagram. */
  readonly size: number
}

export interface DatagramSocketEvents {
  listening: []
  /** The bytes are the listener's own. */
  message: [message: Buffer, source: DatagramSource]
  error: [error: Error]
  close: []
}

type Bytes = Uint8Array | string
type Sent = (error: Error | null, bytes: number) => void

/**
 * Datagrams through a server for programs that expect a socket of node:dgram: they send, listen for messages and close.
 * `bind()` is there for those who call it first, and binds nothing. A message to a name is resolved by the server.
 */
export class DatagramSocket extends EventEmitter<DatagramSocketEvents> {
  #conn: PacketConn | undefined
  #closed = false
  readonly #waiting = new WaitingPackets<Address>()

  /** @param opening what it is to be; messages sent meanwhile wait */
  constructor(opening: Promise<PacketConn>) {
    super()
    opening.then(
      (conn) => this.#opened(conn),
      (error) => this.#failed(error),
    )
  }

  /** `listening` comes by itself; the port and address of a dgram socket have no meaning here. */
  bind(...args: readonly unknown[]): this {
    const [done] = args.filter((arg): arg is () => void => typeof arg === 'function')
    if (done) {
      if (this.#conn) queueMicrotask(done)
      else this.once('listening', done)
    }
    return this
  }

  /**
   * Sends one datagram. As with every socket it may be lost on its way; one that is larger than can be carried is an error
   * for `sent`, or else an `error` event.
   */
  send(message: Bytes | readonly Bytes[], port: number, address?: string, sent?: Sent): void
  send(message: Bytes, offset: number, length: number, port: number, address?: string, sent?: Sent): void
  send(message: Bytes | readonly Bytes[], ...args: readonly unknown[]): void {
    const sent = args.find((arg): arg is Sent => typeof arg === 'function')
    const host = args.find((arg): arg is string => typeof arg === 'string') ?? '127.0.0.1'
    const numbers = args.filter((arg): arg is number => typeof arg === 'number')
    if (this.#closed) throw new ProxyError('CONN_CLOSED', 'the socket is closed')
    const all = Array.isArray(message) ? Buffer.concat(message.map(bytesOf)) : bytesOf(message as Bytes)
    const [offset, length, port] = numbers.length > 1 ? numbers : [0, all.length, numbers[0]]
    const bytes = all.subarray(offset, offset! + length!)
    const error = this.#carry(bytes, { host, port: port! })
    if (sent) queueMicrotask(() => sent(error, bytes.length))
    else if (error) queueMicrotask(() => this.emit('error', error))
  }

  #carry(bytes: Uint8Array, to: Address): Error | null {
    if (!(to.port > 0 && to.port < 65_536)) {
      return new ProxyError('ADDRESS_INVALID', `${to.port} is no port; expected 1 to 65535`)
    }
    const conn = this.#conn
    if (!conn) this.#waiting.add(bytes, to)
    else if (!conn.send(bytes, to) && bytes.length > conn.info.largest) {
      const message = `a datagram of ${bytes.length} bytes was not sent: at most ${conn.info.largest} can be carried`
      return new ProxyError('DATAGRAM_TOO_LARGE', message)
    }
    return null
  }

  /** Our end of the connection to the server where there is one, else the address that means any. */
  address(): Omit<DatagramSource, 'size'> {
    const { host, port } = parseAddress(this.#conn?.info.local ?? '') ?? { host: '0.0.0.0', port: 0 }
    return { address: host, family: familyOf(host), port }
  }

  close(done?: () => void): this {
    if (this.#closed) throw new ProxyError('CONN_CLOSED', 'the socket is closed already')
    if (done) this.once('close', done)
    this.#conn?.destroy()
    this.#close()
    return this
  }

  /** There for programs that call it: whether the process stays alive is the connection's affair. */
  ref(): this {
    return this
  }

  /** As ref(). */
  unref(): this {
    return this
  }

  #opened(conn: PacketConn): void {
    if (this.#closed) {
      conn.destroy()
      return
    }
    this.#conn = conn
    conn
      .drainTo((lent, { host, port }) => {
        const message = Buffer.from(lent)
        this.emit('message', message, { address: host, family: familyOf(host), port, size: message.length })
      })
      .then(
        () => this.#close(),
        (error) => this.#failed(error),
      )
    this.emit('listening')
    this.#waiting.release((bytes, to) => conn.send(bytes, to))
  }

  #failed(error: Error): void {
    if (this.#closed) return
    this.emit('error', error)
    this.#close()
  }

  #close(): void {
    if (this.#closed) return
    this.#closed = true
    queueMicrotask(() => this.emit('close'))
  }
}

const bytesOf = (part: Bytes): Buffer =>
  typeof part === 'string' ? Buffer.from(part) : Buffer.from(part.buffer, part.byteOffset, part.byteLength)

const familyOf = (host: string): DatagramSource['family'] => (isIPv6(host) ? 'IPv6' : 'IPv4')
