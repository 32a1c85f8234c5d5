/** No uncaughtException handler here: a fault that leaves the layer fails the run, as it would end a host program. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { attacks, endings } from '../support/hostile-streams.ts'
import { preface } from '../support/http2-frames.ts'
import { type Api, type Caller, callerOf, startApi } from './grpc-tools.ts'

let api: Api
beforeAll(async () => {
  api = await startApi()
})
afterAll(() => api.close())

/** Sends bytes and waits for the server to have read them: it answers a ping, or closes. */
async function throwAt(port: number, bytes: Buffer): Promise<void> {
  const socket: Socket = connect(port, '127.0.0.1').on('error', () => {})
  socket.write(bytes)
  const ping = Buffer.concat([Buffer.from([0, 0, 8, 6, 0, 0, 0, 0, 0]), Buffer.from('answer..')])
  socket.write(ping)
  let seen = ''
  socket.on('data', (data) => {
    seen += data.toString('latin1')
    if (seen.includes('answer..')) socket.destroy()
  })
  await once(socket, 'close')
}

const ways = [
  { way: 'a door and a rule', portOf: ({ doorPort }: Api) => doorPort },
  { way: 'its own port', portOf: ({ listenPort }: Api) => listenPort },
] as const

describe.each(ways)('the gRPC API through $way', ({ portOf }) => {
  let caller: Caller
  beforeAll(() => {
    caller = callerOf(`127.0.0.1:${portOf(api)}`, 'xray')
  })
  afterAll(() => caller.close())
  const served = () => caller.call('StatsService.GetSysStats')

  it.each(attacks)('lives on after $name', async ({ bytes }) => {
    const streams = Array.from({ length: 12 }, (_, i) => bytes(2 * i + 1))
    for (const ending of endings) await throwAt(portOf(api), Buffer.concat([preface, ...streams, ending]))
    // Each stream in a packet of its own.
    const socket = connect(portOf(api), '127.0.0.1').on('error', () => {})
    socket.setNoDelay().write(preface)
    for (const stream of streams.slice(0, 3)) {
      socket.write(stream)
      await new Promise((resolve) => setImmediate(resolve))
    }
    socket.resetAndDestroy()
    await expect(served()).resolves.toBeTruthy()
  })

  it('lives on after connections that are reset in the middle of calls', async () => {
    for (let i = 0; i < 20; i++) {
      const socket = connect(portOf(api), '127.0.0.1').on('error', () => {})
      await once(socket, 'connect')
      socket.write(Buffer.concat([preface, ...attacks.map(({ bytes }, n) => bytes(2 * n + 1))]))
      socket.resetAndDestroy()
    }
    await expect(served()).resolves.toBeTruthy()
  })
})
