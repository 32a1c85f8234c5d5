import { Socket } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { type Conn, type ConnInfo, rootInfo } from '../../core/conn.ts'
import { ProxyError } from '../../core/errors.ts'
import { acceptLending } from '../../net/streams/socket-conn.ts'
import { StreamConn } from '../../net/streams/stream-conn.ts'

/** A record of TLS, bytes: what OpenSSL decrypts at a time. */
const recordMax = 16_384

/** The connection inside a TLS socket whose handshake was done this moment: nothing has been read from it. */
export function secured(socket: TLSSocket, carrier: Conn): Conn {
  // Nobody else says so of a socket that no tls.Server made, and Node's HTTP/2 waits until it is said.
  Object.assign(socket, { secureConnecting: false })
  const { remote, local, layers } = carrier.info
  const info: ConnInfo = {
    remote,
    local,
    layers: [...layers, 'tls'],
    halfClose: 'native',
    carrier: rootInfo(carrier.info),
  }
  return lendingOf(socket, carrier, info) ?? new StreamConn(socket, info)
}

/**
 * Where TLS runs on a socket of the system, whose bytes come out of the event loop, records are decrypted into a buffer that
 * connections share. Over another stream one could be decrypted while another is still being used up.
 */
const lendingOf = (socket: TLSSocket, carrier: Conn, info: ConnInfo): Conn | undefined =>
  carrier instanceof StreamConn && carrier.stream instanceof Socket ? acceptLending(socket, info, recordMax) : undefined

export function handshakeError(error: Error, remote: string): ProxyError {
  const code = (error as NodeJS.ErrnoException).code ?? ''
  const plain = code === 'ERR_SSL_WRONG_VERSION_NUMBER' || code === 'ERR_SSL_PACKET_LENGTH_TOO_LONG'
  const text = plain ? 'the other side does not speak TLS on this port' : error.message
  return new ProxyError('TLS_FAILED', `TLS handshake with ${remote} failed: ${text}`, { cause: error })
}
