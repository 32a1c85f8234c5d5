import type { Conn } from '../../src/core/conn.ts'
import { forever } from '../../src/core/lifetime.ts'
import { deferred } from '../../src/core/time/deferred.ts'
import { memoryPair } from '../../src/net/memory/memory.ts'
import { tcpDialer, tcpListener } from '../../src/net/tcp.ts'
import { openSession } from '../../src/transport/http2/client-session.ts'
import type { ClientSession, ServerRequest, StreamKind } from '../../src/transport/http2/model.ts'
import { Http2Passage } from '../../src/transport/http2/server.ts'
import { layerRig } from './layer-pair.ts'

const plain: StreamKind = { layer: 'h', halfClose: 'native' }

/** Carriers that meet: over TCP as they come, over memory otherwise. */
export async function carriers(tcp: boolean): Promise<{ near: Conn; far: Conn; close(): Promise<void> }> {
  if (!tcp) {
    const [near, far] = memoryPair()
    return { near, far, close: async () => {} }
  }
  const accepted = deferred<Conn>()
  const listening = await tcpListener().listen({ host: '127.0.0.1', port: 0 }, (conn) => accepted.resolve(conn))
  const near = await tcpDialer().dial(listening.address, { until: forever })
  return { near, far: await accepted.promise, close: () => listening.close() }
}

export interface Http2Rig {
  readonly session: ClientSession
  readonly passage: Http2Passage
  readonly carrier: Conn
  readonly failures: readonly Error[]
  close(): Promise<void>
}

/** A client and a server of HTTP/2 that have met. */
export async function http2Rig(
  serve: (request: ServerRequest) => void,
  { tcp = false, kind = plain }: { tcp?: boolean; kind?: StreamKind } = {},
): Promise<Http2Rig> {
  const { deps, clock, failures } = layerRig()
  const { near, far, close } = await carriers(tcp)
  const other = { pending: 0, receive: (conn: Conn) => conn.destroy(), close: () => {} }
  const passage = new Http2Passage({ kind, serve, other }, deps)
  passage.receive(far)
  const session = openSession(near, clock)
  return {
    session,
    passage,
    carrier: near,
    failures,
    async close() {
      session.destroy()
      await close()
    },
  }
}

/** Two ends of one stream. */
export async function http2Pair(options: { tcp?: boolean; kind?: StreamKind } = {}) {
  const accepted = deferred<Conn>()
  const rig = await http2Rig((request) => {
    request.respond({ ':status': 200 })
    accepted.resolve(request.conn)
  }, options)
  const { conn: a } = rig.session.request({ ':method': 'POST', ':path': '/' }, options.kind ?? plain)
  return { a, b: await accepted.promise, close: rig.close }
}
