/** A guard between HTTP/2 and the gRPC library. */
import type { Http2Server, IncomingHttpHeaders, ServerHttp2Session, ServerHttp2Stream } from 'node:http2'
import type { Server } from '@grpc/grpc-js'

export interface ContainedDeps {
  /** A connection begins. Called before `injectConnection` returns. */
  onSession(session: ServerHttp2Session): void
  /** A call begins, and ends when the stream closes. */
  onStream(session: ServerHttp2Session, stream: ServerHttp2Stream): void
  /** The library threw over a stream. */
  onFault(error: unknown): void
}

type StreamHandler = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, flags: number, raw: string[]) => void

/**
 * Sees every stream before the library does. The library answers paths and content types that it does not know at once;
 * over a stream that its peer has reset meanwhile that throws, inside an event of Node, and so ends the process. Such
 * streams do not reach it; whatever else it throws over a stream ends that stream's connection.
 *
 * The library has no public way to its HTTP/2 server. It is taken from where the pinned version keeps it.
 *
 * @throws Error when there is none, as another version of the library may have it: better no API than one that anybody can crash
 */
export function containStreams(server: Server, { onSession, onStream, onFault }: ContainedDeps): void {
  const { http2Servers } = server as unknown as { readonly http2Servers?: ReadonlyMap<Http2Server, unknown> }
  const [http2] = http2Servers?.keys() ?? []
  const handlers = (http2?.listeners('stream') ?? []) as StreamHandler[]
  if (!http2 || handlers.length === 0) throw new Error('this version of @grpc/grpc-js does not fit: see contained.ts')
  http2.removeAllListeners('stream')
  http2.on('session', onSession)
  http2.on('stream', (stream, ...rest: [IncomingHttpHeaders, number, string[]?]) => {
    // For good: the library expects one error at most.
    stream.on('error', () => {})
    const { session } = stream
    if (stream.destroyed || stream.closed || !session) return
    try {
      onStream(session as ServerHttp2Session, stream)
      for (const handle of handlers) handle(stream, rest[0], rest[1], rest[2] ?? [])
    } catch (error) {
      onFault(error)
      session.destroy()
    }
  })
}
