/** The gRPC API asks for no password: a client whose flows this machine dials for must not get at it by them. */

import { once } from 'node:events'
import { createServer } from 'node:net'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { connect } from '../../src/app/connect.ts'
import { freePorts } from '../interop/rig/harness.ts'
import { type Api, aliceId, callerOf, startApi } from './grpc-tools.ts'

let api: Api
beforeAll(async () => {
  api = await startApi()
})
afterAll(() => api.close())

/** A local port whose connections go to `target` through the VMess inbound, as alice. */
async function tunnelTo(host: string, port: number): Promise<{ port: number; close(): void }> {
  const [localPort] = (await freePorts(1)) as [number]
  const settings = { vnext: [{ address: '127.0.0.1', port: api.vmessPort, users: [{ id: aliceId }] }] }
  const server = createServer((socket) => {
    socket.on('error', () => {})
    connect({ protocol: 'vmess', settings }, { host, port }).then(
      (stream) => {
        stream.on('error', () => socket.destroy()).on('end', () => socket.destroy())
        socket.on('close', () => stream.destroy())
        socket.pipe(stream).pipe(socket)
      },
      () => socket.destroy(),
    )
  })
  server.listen(localPort, '127.0.0.1')
  await once(server, 'listening')
  return { port: localPort, close: () => server.close() }
}

const list = (port: number): Promise<unknown> => {
  const caller = callerOf(`127.0.0.1:${port}`, 'xray')
  return caller.call('HandlerService.ListInbounds').finally(() => caller.close())
}

it.each([
  ['its own port', '127.0.0.1', () => api.listenPort],
  ['its own port by name', 'localhost', () => api.listenPort],
  ['an inbound that leads to it', '127.0.0.1', () => api.doorPort],
])('%s is no target', async (_what, host, port) => {
  await list(port())
  const tunnel = await tunnelTo(host, port())
  try {
    await expect(list(tunnel.port)).rejects.toMatchObject({ code: 14 })
    const refused = (await api.control.handshakes()).filter(({ reason }) => reason === 'TARGET_FORBIDDEN')
    expect(refused.length).toBeGreaterThan(0)
  } finally {
    tunnel.close()
  }
})
