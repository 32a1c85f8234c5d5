/** The HTTP API of our own. Loaded only by an instance whose configuration asks for it. */
import { createServer, type Server } from 'node:http'
import { getRequestListener } from '@hono/node-server'
import { type Address, formatAddress } from '../../core/address.ts'
import { limits } from '../../core/limits.ts'
import { listenError } from '../../net/errors.ts'
import { removeStaleSocket } from '../../net/stale-socket.ts'
import { createApp } from './app.ts'
import { closer } from './closing.ts'
import type { Api, HttpApiDeps } from './deps.ts'
import { EventStreams } from './events.ts'
import { createMetrics } from './metrics.ts'
import { Traffic } from './traffic.ts'

export interface HttpApi {
  /**
   * Opens the API; call it once. Rejects with LISTEN_FAILED. `close` ends event streams, lets requests finish for a
   * second, and resolves when nothing is left.
   */
  listen(at: Address): Promise<{ address: Address; close(): Promise<void> }>
  /** The routes, for those who make documents of them. */
  readonly app: Api
}

export async function createHttpApi(deps: HttpApiDeps): Promise<HttpApi> {
  const { control, clock } = deps
  const traffic = await Traffic.start(deps)
  const streams = new EventStreams(control, traffic, clock)
  let host: string | undefined = '127.0.0.1'
  const app = createApp({ ...deps, traffic, streams, metrics: createMetrics(control, clock) }, () => host)

  return {
    app,
    async listen(at) {
      host = at.path === undefined ? at.host : undefined // no page of the web can reach a unix socket
      const server = createServer(
        // Replacing the process's own Request and Response is not ours to do.
        getRequestListener(app.fetch, { overrideGlobalObjects: false, errorHandler: notHttp }),
      )
      const close = closer(server, clock)
      server.maxConnections = limits.controlConnections
      try {
        const address = await bind(server, at)
        return {
          address,
          close() {
            streams.close()
            traffic.close()
            return close()
          },
        }
      } catch (error) {
        traffic.close()
        throw error
      }
    },
  }
}

/** For what is no request to begin with. */
function notHttp(): Response {
  const error = { code: 'CONTROL_INVALID', message: 'the request is not understood' }
  return new Response(JSON.stringify({ error }), { status: 400, headers: { 'content-type': 'application/json' } })
}

async function bind(server: Server, at: Address): Promise<Address> {
  if (at.path !== undefined) await removeStaleSocket(at.path)
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(listenError(error, formatAddress(at))))
    server.listen(at.path === undefined ? { host: at.host, port: at.port } : { path: at.path }, resolve)
  })
  server.removeAllListeners('error')
  server.on('error', () => {}) // accepting goes on; a single failed accept concerns one stranger
  const bound = server.address()
  return bound !== null && typeof bound === 'object' ? { host: bound.address, port: bound.port } : at
}
