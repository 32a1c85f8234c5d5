import type { Conn } from '../../core/conn.ts'
import type { Passage } from '../../core/dialer.ts'
import { servesGrpc } from '../../protocol/grpc/paths.ts'
import type { GrpcConfig } from '../../settings/http2.ts'
import { http2Server } from '../http2/door.ts'
import type { ServerRequest } from '../http2/model.ts'
import type { UpgradeDeps } from '../upgrade/model.ts'
import { GrpcConn } from './conn.ts'
import { kind } from './kind.ts'

/** Takes calls of either stream of the service, whichever mode is configured. */
export function grpcServer(config: GrpcConfig, deps: UpgradeDeps): (accept: (conn: Conn) => void) => Passage {
  const serves = servesGrpc(config.serviceName)
  const { keepAlive, forwarded } = config
  return (accept) =>
    http2Server({ kind, keepAlive: { ...keepAlive, withoutStreams: true }, forwarded }, deps, (request) => {
      const reason = wrongCall(request, serves, config)
      if (reason) request.deny(reason, !isCall(request))
      else accept(new ServedCall(request))
    })
}

function wrongCall(
  { method, path, headers }: ServerRequest,
  serves: (path: string) => boolean,
  { serviceName }: GrpcConfig,
): string | undefined {
  if (!serves(path)) return `the serviceName here is ${JSON.stringify(serviceName)}`
  if (method !== 'POST') return 'a gRPC call is made with POST'
  if (!isCall({ headers })) return 'it is no gRPC call; does a web server in front pass it on as one?'
  return undefined
}

const isCall = ({ headers }: Pick<ServerRequest, 'headers'>): boolean =>
  headers['content-type']?.startsWith('application/grpc') ?? false

const answer = { ':status': 200, 'content-type': 'application/grpc' }
const trailers = { 'grpc-status': '0' }

/** The head of the answer goes with its first bytes, as Go's servers do: a client whom VMess does not know hears nothing until the end. */
class ServedCall extends GrpcConn {
  readonly #request: ServerRequest
  #answered = false

  constructor(request: ServerRequest) {
    super(request.conn)
    this.#request = request
    request.take()
  }

  override write(bytes: Uint8Array, release?: () => void): void | Promise<void> {
    if (!this.#answered && !this.gone) this.#answer()
    return super.write(bytes, release)
  }

  override destroy(reason?: Error): void {
    if (!this.#answered && !this.gone) {
      this.#answered = true
      this.#request.reply({ ...answer, ...trailers })
    }
    super.destroy(reason)
  }

  #answer(): void {
    this.#answered = true
    this.#request.respond(answer, trailers)
  }
}
