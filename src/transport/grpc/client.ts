import type { Address } from '../../core/address.ts'
import type { Dialer } from '../../core/dialer.ts'
import { grpcPath } from '../../protocol/grpc/paths.ts'
import type { GrpcConfig } from '../../settings/http2.ts'
import { type CheckAnswer, failWhenRefused } from '../http2/answer.ts'
import { authorityFor } from '../http2/authority.ts'
import { SessionPool } from '../http2/pool.ts'
import type { UpgradeDeps } from '../upgrade/model.ts'
import { GrpcConn } from './conn.ts'
import { kind } from './kind.ts'
import { userAgentOf } from './user-agent.ts'

/** One call for each connection, many in one HTTP/2 session. Nothing waits for the answer: servers give none before they have something to say. */
export const grpcClient =
  (config: GrpcConfig, deps: UpgradeDeps) =>
  (base: Dialer): Dialer => {
    const { keepAlive, window } = config
    const userAgent = userAgentOf(config.userAgent, deps.env.clock.now())
    const path = grpcPath(config.serviceName, config.multi)
    const pool = new SessionPool(base, deps.env.clock, { keepAlive, ...(window && { streamWindow: window }) })
    const headersFor = (to: Address) => ({
      ':method': 'POST',
      ':scheme': deps.secure ? 'https' : 'http',
      ':authority': config.authority || authorityFor(to, deps),
      ':path': path,
      'content-type': 'application/grpc',
      te: 'trailers',
      ...(userAgent !== '' && { 'user-agent': userAgent }),
    })
    return {
      async dial(to, options) {
        const headers = headersFor(to)
        const asked = { protocol: 'gRPC', path, host: headers[':authority'] }
        const conn = await pool.request(to, { headers, kind }, options, (stream) =>
          failWhenRefused(stream, asked, (answer) => wrongAnswer(answer, config)),
        )
        return new GrpcConn(conn)
      },
      close: () => pool.close(),
    }
  }

function wrongAnswer({ headers }: Parameters<CheckAnswer>[0], { serviceName }: GrpcConfig): ReturnType<CheckAnswer> {
  const type = headers['content-type'] ?? ''
  if (!type.startsWith('application/grpc'))
    return { text: `the server answered with ${JSON.stringify(type)} instead of gRPC` }
  const status = headers['grpc-status']
  // Trailers without anything before them: the call was not taken, or taken and ended without a word.
  if (status === undefined || status === '0') return undefined
  if (status !== '12') return { text: `the server answered with grpc-status ${String(status)}` }
  const hint = 'is the serviceName that of the server?'
  const slash = serviceName.includes('/') && !serviceName.startsWith('/')
  return {
    text: 'the server has no such service',
    // Xray escapes the slash; what the others look for is a path of one's own.
    hint: slash ? `${hint} For V2Ray 5, sing-box and mihomo write "/${serviceName}/Tun"` : hint,
  }
}
