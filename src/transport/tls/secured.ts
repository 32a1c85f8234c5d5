import type { TLSSocket } from 'node:tls'
import { type Conn, rootInfo } from '../../core/conn.ts'
import { ProxyError } from '../../core/errors.ts'
import { StreamConn } from '../../net/streams/stream-conn.ts'

/** The connection inside a TLS socket whose handshake is done. */
export const secured = (socket: TLSSocket, { info }: Conn): Conn =>
  new StreamConn(socket, {
    remote: info.remote,
    local: info.local,
    layers: [...info.layers, 'tls'],
    halfClose: 'native',
    carrier: rootInfo(info),
  })

export function handshakeError(error: Error, remote: string): ProxyError {
  const code = (error as NodeJS.ErrnoException).code ?? ''
  const plain = code === 'ERR_SSL_WRONG_VERSION_NUMBER' || code === 'ERR_SSL_PACKET_LENGTH_TOO_LONG'
  const text = plain ? 'the other side does not speak TLS on this port' : error.message
  return new ProxyError('TLS_FAILED', `TLS handshake with ${remote} failed: ${text}`, { cause: error })
}
