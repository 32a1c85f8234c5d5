/** Why a connection did not come about: what the client's log and the SOCKS answer say. And the access log's shape. */

import { randomUUID } from 'node:crypto'
import { createServer, type Socket } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { clientConfig, testId } from '../interop/rig/configs.ts'
import { freePorts, startPeer, withPeers } from '../interop/rig/harness.ts'
import { withPair } from '../interop/rig/pair.ts'
import { SocksRefusal, socksConnect } from '../interop/rig/socks-client.ts'
import { echoOnce, order } from '../interop/rig/traffic.ts'
import { startTarget, type Target } from '../interop/target.ts'

let target: Target
beforeAll(async () => {
  target = await startTarget()
})
afterAll(() => target.close())

/** Likely causes of a server that closes without an answer, the likeliest first. */
const causesInOrder = /\bid\b.*\bclock\b.*\b(?:security|encryption)\b/i

describe('the client says why', () => {
  it('its id is not known to the server', () =>
    withPair(
      {
        client: 'ours',
        server: 'ours',
        serverExtra: { policy: { levels: { 0: { handshake: 1 } } } },
        clientId: randomUUID(),
      },
      async ({ client, server, open }) => {
        const wire = await open(target)
        await order(wire, { mode: 'echo' })
        expect(await wire.readSome().catch(() => null)).toBeNull()
        wire.destroy()
        const [line] = await client.logged(/.*RESPONSE_MISSING.*/)
        expect(line).toMatch(causesInOrder)
        await server.logged(/VMESS_UNKNOWN_USER/)
      },
    ))

  it.each([
    ['closes', (socket: Socket) => socket.end(), /.*RESPONSE_MISSING.*/],
    ['resets', (socket: Socket) => socket.resetAndDestroy(), /.*CONN_RESET.*/],
  ] as const)('the server %s before its response header', async (_, act, told) => {
    const closer = createServer((socket) => {
      socket.on('error', () => {})
      socket.once('data', () => act(socket))
    })
    await new Promise<void>((resolve) => closer.listen({ host: '127.0.0.1', port: 0 }, resolve))
    const { port } = closer.address() as { port: number }
    try {
      const [socksPort] = (await freePorts(1)) as [number]
      const client = await startPeer('ours', clientConfig({ port }, { socksPort }), { ports: [socksPort] })
      await withPeers([client], async () => {
        const wire = await socksConnect(socksPort, target)
        await order(wire, { mode: 'echo' })
        expect(await wire.readSome().catch(() => null)).toBeNull()
        wire.destroy()
        const [line] = await client.logged(told)
        expect(line).toMatch(causesInOrder)
      })
    } finally {
      await new Promise((resolve) => closer.close(resolve))
    }
  })

  it('nothing listens at the server’s address: SOCKS code 5', async () => {
    const [port, socksPort] = (await freePorts(2)) as [number, number]
    const client = await startPeer('ours', clientConfig({ port }, { socksPort }), { ports: [socksPort] })
    await withPeers([client], async () => {
      const refusal = await socksConnect(socksPort, target).catch((error: unknown) => error)
      expect(refusal).toBeInstanceOf(SocksRefusal)
      expect((refusal as SocksRefusal).code).toBe(5)
      await client.logged(/DIAL_REFUSED/)
    })
  })

  it('the server’s certificate is not trusted', () =>
    withPair({ client: 'ours', server: 'ours', tls: true, trusted: false }, async ({ client, open }) => {
      await expect(open(target)).rejects.toThrow(SocksRefusal)
      const [line] = await client.logged(/.*TLS_FAILED.*/)
      expect(line).toMatch(/self.signed|certificate/i)
    }))
})

describe('the log', () => {
  it('has one access line per connection, in the form that other programs read, and no id in it', () =>
    withPair({ client: 'ours', server: 'ours' }, async ({ client, server, open }) => {
      const wire = await open(target)
      await order(wire, { mode: 'echo' })
      await echoOnce(wire, Buffer.from('hello'))
      wire.destroy()
      const time = String.raw`\d{4}/\d\d/\d\d \d\d:\d\d:\d\d\.\d{6}`
      const line = (tail: string) =>
        new RegExp(`^${time} from 127\\.0\\.0\\.1:\\d+ accepted tcp:127\\.0\\.0\\.1:${target.port} ${tail}$`, 'm')
      await server.logged(line(String.raw`\[vmess-in >> direct\] email: alice@home\.lan`))
      await client.logged(line(String.raw`\[door >> proxy\]`))
      expect(server.log().match(/ accepted tcp:/g)).toHaveLength(1)
      for (const { log } of [client, server]) expect(log()).not.toContain(testId)
    }))
})
