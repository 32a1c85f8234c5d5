import { connect, createServer, type Server, type Socket } from 'node:net'
import { type Address, formatAddress } from '../core/address.ts'
import type { Conn, ConnInfo } from '../core/conn.ts'
import type { Dialer, DialOptions, Listener, Listening } from '../core/dialer.ts'
import { abortError, dialError, listenError } from './errors.ts'
import { adoptForLending, descriptorOf, lendingRead, SocketConn } from './socket-conn.ts'
import { StreamConn } from './stream-conn.ts'
import { listenUnix } from './unix-listen.ts'

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
  /** Told the descriptor of every accepted socket, before it is handed on. */
  readonly onDescriptor?: (fd: number) => void
}

/** Dials TCP and unix sockets. */
export function tcpDialer(options: TcpOptions = {}): Dialer {
  return { dial: (to, dialOptions) => dialSocket(to, dialOptions, options) }
}

function dialSocket(to: Address, { signal }: DialOptions, options: TcpOptions): Promise<Conn> {
  return new Promise((resolve, reject) => {
    if (signal.aborted) return reject(abortError(signal, formatAddress(to)))
    const read = options.lending === false ? undefined : lendingRead(options.readSize?.())
    const target = to.path === undefined ? { host: to.host, port: to.port } : { path: to.path }
    const socket = connect({ ...target, allowHalfOpen: true, noDelay: true, ...(read && { onread: read }) })
    socket.pause()
    const settle = (): void => {
      signal.removeEventListener('abort', onAbort)
      socket.off('error', onError)
      socket.off('connect', onConnect)
    }
    const onAbort = (): void => {
      settle()
      socket.on('error', () => {})
      socket.destroy()
      reject(abortError(signal, formatAddress(to)))
    }
    const onError = (error: Error): void => {
      settle()
      reject(dialError(error, formatAddress(to)))
    }
    const onConnect = (): void => {
      settle()
      keepAlive(socket, options)
      const info = infoOf(socket, to.path)
      resolve(read ? new SocketConn(socket, info, read) : new StreamConn(socket, info))
    }
    signal.addEventListener('abort', onAbort)
    socket.on('error', onError)
    socket.on('connect', onConnect)
  })
}

/** Listens on TCP and unix sockets. */
export function tcpListener(options: TcpOptions = {}): Listener {
  return {
    listen(at, accept, { mode } = {}) {
      const create = (): Server =>
        createServer({ pauseOnConnect: true, allowHalfOpen: true, noDelay: true }, (socket) => {
          options.onDescriptor?.(descriptorOf(socket))
          accept(acceptedConn(socket, at, options))
        })
      return at.path === undefined ? bind(create(), at) : bindUnix(create, at, at.path, mode)
    },
  }
}

function acceptedConn(accepted: Socket, at: Address, options: TcpOptions): Conn {
  keepAlive(accepted, options)
  const adopted = options.lending === false ? undefined : adoptForLending(accepted, options.readSize?.())
  if (!adopted) return new StreamConn(accepted, infoOf(accepted, at.path))
  return new SocketConn(adopted.socket, infoOf(adopted.socket, at.path), adopted.read)
}

function bind(server: Server, at: Address): Promise<Listening> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      // "All addresses" is written `::`; a machine without IPv6 has only the other half of it.
      const noIPv6 = at.host === '::' && (error.code === 'EAFNOSUPPORT' || error.code === 'EADDRNOTAVAIL')
      if (noIPv6) resolve(bind(server, { ...at, host: '0.0.0.0' }))
      else reject(listenError(error, formatAddress(at)))
    })
    server.listen({ host: at.host, port: at.port }, () => {
      server.removeAllListeners('error')
      server.on('error', ignore)
      const bound = server.address()
      const address = bound !== null && typeof bound === 'object' ? { host: bound.address, port: bound.port } : at
      resolve({ address, close: () => new Promise((closed) => server.close(() => closed())) })
    })
  })
}

/** Accepting goes on; a single failed accept concerns one stranger. */
const ignore = (): void => {}

async function bindUnix(create: () => Server, at: Address, path: string, mode: number | undefined): Promise<Listening> {
  const told = async <T>(step: Promise<T>): Promise<T> =>
    step.catch((error: Error) => {
      throw listenError(error, formatAddress(at))
    })
  const listening = await told(listenUnix(() => create().on('error', ignore), path, mode))
  return { address: at, close: () => listening.close(), restore: () => told(listening.restore()) }
}

function keepAlive(socket: Socket, options: TcpOptions): void {
  const seconds = options.keepAliveIdleS ?? 45
  if (seconds >= 0) socket.setKeepAlive(true, seconds * 1000)
}

function infoOf(socket: Socket, path: string | undefined): ConnInfo {
  if (path !== undefined) {
    const name = formatAddress({ host: '', port: 0, path })
    return { remote: name, local: name, layers: ['unix'], halfClose: 'native' }
  }
  return {
    remote: endpoint(socket.remoteAddress, socket.remotePort),
    local: endpoint(socket.localAddress, socket.localPort),
    layers: ['tcp'],
    halfClose: 'native',
  }
}

function endpoint(host: string | undefined, port: number | undefined): string {
  if (host === undefined || port === undefined) return ''
  // A dual-stack socket reports IPv4 peers as mapped addresses; people and filters know them as IPv4.
  return formatAddress({ host: host.startsWith('::ffff:') ? host.slice(7) : host, port })
}
