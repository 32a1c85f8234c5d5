import { connect, createServer, isIP, type NetConnectOpts, type Server, type Socket } from 'node:net'
import { type Address, formatAddress } from '../core/address.ts'
import type { Conn } from '../core/conn.ts'
import type { Dialer, DialOptions, Listener, Listening } from '../core/dialer.ts'
import { ProxyError } from '../core/errors.ts'
import { limits } from '../core/limits.ts'
import { abortError, dialError, listenError } from './errors.ts'
import { noteOnName } from './listeners/abstract-names.ts'
import { listenUnix } from './listeners/unix-listen.ts'
import { acceptLending, descriptorOf, LendingRead, SocketConn } from './streams/socket-conn.ts'
import { SocketInfo } from './streams/socket-info.ts'
import { StreamConn } from './streams/stream-conn.ts'

export interface TcpOptions {
  /** Seconds of silence before the first keep-alive probe; negative: off. Default 45. */
  readonly keepAliveIdleS?: number
  /** False: ordinary streams instead of the shared read buffer. Default true. */
  readonly lending?: boolean
  /**
   * Bytes that one read brings at most; asked for every connection. Connections of the same size share one buffer, so
   * there should be few different ones. Default `limits.sharedReadBuffer`.
   */
  readonly readSize?: () => number
  /** Told of every accepted connection and its descriptor, -1 if unknown. False: it is destroyed, and is not handed on. */
  readonly onAccept?: (conn: Conn, fd: number) => boolean
  /** The IP address that a connection leaves from; asked for each. What the system chooses unless given. */
  readonly localAddress?: () => string
  /** Listening on an IPv6 address takes no IPv4; `::` takes both unless given. */
  readonly ipv6Only?: boolean
  /** Gives a socket that is bound already, and where to; it is the listener's then. */
  readonly bound?: (at: Address) => Promise<BoundSocket>
}

/** A listening socket, by its descriptor. */
export interface BoundSocket {
  readonly fd: number
  readonly address: Address
}

/** Dials TCP and unix sockets. Takes IP addresses only: the system's look-up of names would hold a thread for each. */
export function tcpDialer(options: TcpOptions = {}): Dialer {
  return { dial: (to, dialOptions) => dialSocket(to, dialOptions, options) }
}

function dialSocket(to: Address, { until }: DialOptions, options: TcpOptions): Promise<Conn> {
  return new Promise((resolve, reject) => {
    if (until.gone) return reject(abortError(until.gone, formatAddress(to)))
    if (to.path === undefined && isIP(to.host) === 0) return reject(unresolved(to))
    const from = to.path === undefined ? options.localAddress?.() : undefined
    if (from !== undefined && isIP(from) !== isIP(to.host)) return reject(otherFamily(to, from))
    const read = options.lending === false ? undefined : new LendingRead(options.readSize?.())
    const { host, port, path } = to
    const { keepAlive, keepAliveInitialDelay } = keepAliveOf(options)
    // The last three are what Node adds itself. It copies the options, and adding to a copy costs ten times the copying.
    const how = {
      host,
      port,
      path,
      localAddress: from,
      onread: read,
      keepAlive,
      keepAliveInitialDelay,
      allowHalfOpen: true,
      noDelay: true,
      emitClose: false,
      autoDestroy: true,
      decodeStrings: false,
    }
    const socket = connect(how as NetConnectOpts)
    socket.pause()
    const settle = (): void => {
      cancel()
      socket.off('error', onError)
      socket.off('connect', onConnect)
    }
    const onError = (error: Error): void => {
      settle()
      reject(from !== undefined && isNotOurs(error) ? notOurs(from, error) : failedDial(error, to))
    }
    const onConnect = (): void => {
      settle()
      const info = new SocketInfo(socket, to.path, isSpecific(to.host) ? formatAddress(to) : undefined)
      if (!read) {
        resolve(new StreamConn(socket, info))
        return
      }
      read.conn = new SocketConn(socket, info, read.buffer)
      resolve(read.conn)
    }
    socket.on('error', onError)
    socket.on('connect', onConnect)
    const cancel = until.onGone((why) => {
      socket.off('error', onError).off('connect', onConnect)
      socket.on('error', () => {})
      socket.destroy()
      reject(abortError(why, formatAddress(to)))
    })
  })
}

/** Whether the kernel would give this address back as it is written. */
const isSpecific = (host: string): boolean => isIP(host) === 4 && host !== '0.0.0.0'

const unresolved = (to: Address): ProxyError =>
  new ProxyError('DNS_FAILED', `${formatAddress(to)} is not an IP address, and nobody has resolved it`)

/** A failed dial, with what there is to know of its name. */
function failedDial(error: Error, to: Address): ProxyError {
  const failure = dialError(error, formatAddress(to))
  const hint = to.path === undefined ? undefined : noteOnName(to.path)
  return hint === undefined ? failure : new ProxyError(failure.code, failure.message, { cause: error, hint })
}

const otherFamily = (to: Address, from: string): ProxyError =>
  new ProxyError('DIAL_UNREACHABLE', `${formatAddress(to)} cannot be reached from ${from}, which is of another family`)

const isNotOurs = (error: NodeJS.ErrnoException): boolean => error.code === 'EADDRNOTAVAIL' || error.code === 'EINVAL'

const notOurs = (from: string, cause: Error): ProxyError =>
  new ProxyError('DIAL_FAILED', `no connection can leave from ${from}: it is no address of this machine`, { cause })

/** Listens on TCP and unix sockets. */
export function tcpListener(options: TcpOptions = {}): Listener {
  return {
    listen(at, accept, { mode } = {}) {
      const create = (): Server =>
        createServer(
          { allowHalfOpen: true, noDelay: true, ...keepAliveOf(options), pauseOnConnect: true },
          (socket) => {
            const conn = acceptedConn(socket, at, options)
            if (options.onAccept?.(conn, descriptorOf(socket)) !== false) accept(conn)
          },
        )
      const { ipv6Only = false, bound } = options
      if (bound) return takeOver(create(), bound(at))
      return at.path === undefined ? bind(create(), at, ipv6Only) : bindUnix(create, at, at.path, mode)
    },
  }
}

function acceptedConn(socket: Socket, at: Address, options: TcpOptions): Conn {
  const info = new SocketInfo(socket, at.path)
  const lending = options.lending === false ? undefined : acceptLending(socket, info, options.readSize?.())
  return lending ?? new StreamConn(socket, info)
}

function bind(server: Server, at: Address, ipv6Only: boolean): Promise<Listening> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      // "All addresses" is written `::`; a machine without IPv6 has only the other half of it.
      const noIPv6 = at.host === '::' && !ipv6Only && (error.code === 'EAFNOSUPPORT' || error.code === 'EADDRNOTAVAIL')
      if (noIPv6) resolve(bind(server, { ...at, host: '0.0.0.0' }, false))
      else reject(listenError(error, formatAddress(at)))
    })
    server.listen({ host: at.host, port: at.port, ipv6Only, backlog: limits.listenBacklog }, () => {
      server.removeAllListeners('error')
      server.on('error', ignore)
      const bound = server.address()
      const address = bound !== null && typeof bound === 'object' ? { host: bound.address, port: bound.port } : at
      // Node calls back only when the connections are gone too; the address is free at once.
      resolve({ address, close: async () => void server.close() })
    })
  })
}

/** Accepts on a socket that others may have a descriptor of, too. */
async function takeOver(server: Server, bound: Promise<BoundSocket>): Promise<Listening> {
  const { fd, address } = await bound
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(listenError(error, formatAddress(address))))
    server.listen({ fd }, limits.listenBacklog, resolve)
  })
  server.removeAllListeners('error')
  server.on('error', ignore)
  return { address, close: async () => void server.close() }
}

/** Accepting goes on; a single failed accept concerns one stranger. */
const ignore = (): void => {}

async function bindUnix(create: () => Server, at: Address, path: string, mode: number | undefined): Promise<Listening> {
  const told = async <T>(step: Promise<T>): Promise<T> =>
    step.catch((error: Error) => {
      throw listenError(error, formatAddress(at))
    })
  const listening = await told(listenUnix(() => create().on('error', ignore), path, mode))
  const note = noteOnName(path)
  const end = { close: () => listening.close(), restore: () => told(listening.restore()) }
  return { address: at, ...end, ...(note !== undefined && { note }) }
}

const keepAliveOf = ({ keepAliveIdleS = 45 }: TcpOptions) => ({
  keepAlive: keepAliveIdleS >= 0,
  keepAliveInitialDelay: Math.max(0, keepAliveIdleS) * 1000,
})
