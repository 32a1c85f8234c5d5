/** No uncaughtException handler here: a fault that leaves the layer fails the run, as it would end a host program. */
import { once } from 'node:events'
import { connect } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { attacks, endings } from '../support/hostile-streams.ts'
import { frame, frameTypes, preface, typesOf } from '../support/http2-frames.ts'
import { type Api, type Caller, callerOf, startApi } from './grpc-tools.ts'

let api: Api
beforeAll(async () => {
  api = await startApi()
})
afterAll(() => api.close())

/** Sends bytes, and waits until the server has read them: until it answers a ping, says goodbye or closes. */
async function throwAt(port: number, bytes: Buffer): Promise<void> {
  const socket = connect(port, '127.0.0.1').on('error', () => {})
  socket.write(Buffer.concat([bytes, frame('ping', 0, 0, Buffer.alloc(8))]))
  const seen: Buffer[] = []
  socket.on('data', (data) => {
    seen.push(data)
    if (typesOf(Buffer.concat(seen)).some((type) => type === frameTypes.ping || type === frameTypes.goaway))
      socket.destroy()
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
