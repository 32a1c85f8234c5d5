/** The HTTP API of our own. Loaded only by an instance whose configuration asks for it. */
import { createServer } from 'node:http'
import type { Socket } from 'node:net'
import { getRequestListener } from '@hono/node-server'
import type { Address } from '../../core/address.ts'
import type { Listening } from '../../core/dialer.ts'
import { carrierOf } from '../../net/streams/duplex.ts'
import { tcpListener } from '../../net/tcp.ts'
import { createApp } from './app.ts'
import { HttpConnections } from './connections.ts'
import type { Api, HttpApiDeps } from './deps.ts'
import { EventStreams } from './events.ts'
import { createMetrics } from './metrics.ts'
import { Traffic } from './traffic.ts'

export interface HttpApi {
  /**
   * Opens the API; call it once. Rejects with LISTEN_FAILED. `close` ends event streams, lets requests finish for a
   * second, and resolves when nothing is left.
   */
  listen(at: Address): Promise<Listening>
  /** The routes, for those who make documents of them. */
  readonly app: Api
}

export async function createHttpApi(deps: HttpApiDeps): Promise<HttpApi> {
  const { control, clock } = deps
  const traffic = await Traffic.start(deps)
  const streams = new EventStreams(control, traffic, clock)
  let host: string | undefined = '127.0.0.1'
  let connections: HttpConnections | undefined
  const onToken = (socket: Socket): void => connections?.know(socket)
  const metrics = createMetrics(control, clock)
  const app = createApp({ ...deps, traffic, streams, metrics, onToken }, () => host)

  return {
    app,
    async listen(at) {
      host = at.path === undefined ? at.host : undefined // no page of the web can reach a unix socket
      const server = createServer(
        // Replacing the process's own Request and Response is not ours to do.
        getRequestListener(app.fetch, { overrideGlobalObjects: false, errorHandler: notHttp }),
      )
      connections = new HttpConnections(server, clock)
      try {
        const listening = await listenFor(connections, at)
        return {
          ...listening,
          async close() {
            streams.close()
            traffic.close()
            // A listener reports itself closed only when the connections it accepted are gone.
            await Promise.all([listening.close(), connections?.close()])
          },
        }
      } catch (error) {
        traffic.close()
        throw error
      }
    },
  }
}

/** A unix socket is for its owner alone. Sockets are ordinary ones, since Node's HTTP wants nothing else. */
const listenFor = (connections: HttpConnections, at: Address): Promise<Listening> =>
  tcpListener({ lending: false }).listen(
    at,
    (conn) => connections.accept(carrierOf(conn) as Socket, conn.info.remote),
    { mode: 0o600 },
  )

/** For what is no request to begin with. */
function notHttp(): Response {
  const error = { code: 'CONTROL_INVALID', message: 'the request is not understood' }
  return new Response(JSON.stringify({ error }), { status: 400, headers: { 'content-type': 'application/json' } })
}
