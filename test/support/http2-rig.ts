import {
  connect,
  createServer,
  type IncomingHttpHeaders,
  type IncomingHttpStatusHeader,
  type OutgoingHttpHeaders,
} from 'node:http2'
import type { Conn } from '../../src/core/conn.ts'
import type { Layer } from '../../src/core/dialer.ts'
import { forever } from '../../src/core/lifetime.ts'
import { deferred } from '../../src/core/time/deferred.ts'
import { memoryPair } from '../../src/net/memory/memory.ts'
import { toDuplex } from '../../src/net/streams/duplex.ts'
import { tcpDialer, tcpListener } from '../../src/net/tcp.ts'
import { openSession } from '../../src/transport/http2/client-session.ts'
import type { ClientSession, ServerRequest, StreamKind } from '../../src/transport/http2/model.ts'
import { Http2Passage } from '../../src/transport/http2/server.ts'
import { dialerTo, layerRig, serverAddress } from './layer-pair.ts'

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

/** A server that reads and gives back everything. */
export function echo(request: ServerRequest): void {
  request.respond({ ':status': 200 })
  const { conn } = request
  void conn
    .drainTo((lent) => conn.write(lent))
    .then(
      () => conn.closeWrite(),
      () => {},
    )
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
  const passage = new Http2Passage({ kind, serve, other, forwarded: true }, deps)
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

/** A client and a server that have met through a layer over one HTTP/2 connection. */
export async function meetOverHttp2(layer: Layer, { tcp = false }: { tcp?: boolean } = {}) {
  const { near, far, close } = await carriers(tcp)
  const accepted = deferred<Conn>()
  layer.server((conn) => accepted.resolve(conn)).receive(far)
  const a = await layer.client(dialerTo(near)).dial(serverAddress, { until: forever })
  return {
    a,
    b: await accepted.promise,
    async close() {
      near.destroy()
      await close()
    },
  }
}

/** Headers of the request that a client of a layer makes. */
export async function requestOverHttp2(layer: Layer, to = serverAddress): Promise<IncomingHttpHeaders> {
  const [near, far] = memoryPair()
  const asked = deferred<IncomingHttpHeaders>()
  const server = createServer().on('stream', (stream, headers) => {
    stream.on('error', () => {})
    asked.resolve(headers)
  })
  server.emit('connection', toDuplex(far))
  const conn = await layer.client(dialerTo(near)).dial(to, { until: forever })
  const headers = await asked.promise
  conn.destroy()
  near.destroy()
  return headers
}

/** A request of a client that is not ours, to a server of a layer. */
export async function strangerOverHttp2(layer: Layer, headers: OutgoingHttpHeaders) {
  const [near, far] = memoryPair()
  const accepted = deferred<Conn>()
  const passage = layer.server((conn) => accepted.resolve(conn))
  passage.receive(far)
  const session = connect('http://h.example', { createConnection: () => toDuplex(near) })
  session.on('error', () => {})
  const stream = session.request(headers, { endStream: headers[':method'] === 'HEAD' })
  const answer = deferred<IncomingHttpHeaders & IncomingHttpStatusHeader>()
  const trailers = deferred<IncomingHttpHeaders>()
  const stranger = {
    passage,
    session,
    stream,
    answered: false,
    accepted: accepted.promise,
    headers: answer.promise,
    trailers: trailers.promise,
    /** What comes next; null: the end. */
    async read(): Promise<Buffer | null> {
      for (;;) {
        const bytes: Buffer | null = stream.read()
        if (bytes) return bytes
        if (stream.readableEnded || stream.destroyed) return null
        await new Promise((resolve) => {
          for (const event of ['readable', 'end', 'close']) stream.once(event, resolve)
        })
      }
    },
    async readAll(): Promise<Buffer> {
      const parts: Buffer[] = []
      for (let bytes = await stranger.read(); bytes; bytes = await stranger.read()) parts.push(bytes)
      return Buffer.concat(parts)
    },
    async close(): Promise<void> {
      session.destroy()
      near.destroy()
    },
  }
  stream
    .on('error', () => {})
    .on('response', (headers) => {
      stranger.answered = true
      answer.resolve(headers)
    })
    .on('trailers', (headers) => trailers.resolve(headers))
  return stranger
}
