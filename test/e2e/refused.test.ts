/**
 * Strangers at a VMess port: whatever is wrong with what they send, the log says what it is, and the wire says nothing.
 * The server reads on in silence until its handshake timeout and then closes in the ordinary way.
 */

import { randomBytes, randomUUID } from 'node:crypto'
import { connect } from 'node:net'
import { Duplex } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { connect as tlsConnect } from 'node:tls'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { serverConfig } from '../interop/rig/configs.ts'
import { freePorts, type Peer, startPeer } from '../interop/rig/harness.ts'
import { Wire } from '../interop/rig/wire.ts'
import { startTarget, type Target } from '../interop/target.ts'
import { vmessClientBytes } from './vmess-client-bytes.ts'

const handshakeS = 2

let target: Target
let clientHello: Buffer
/** One for all: strangers are nothing to each other, so they come at once. */
let server: Peer
let port: number
beforeAll(async () => {
  target = await startTarget()
  clientHello = await recordClientHello()
  port = (await freePorts(1))[0]!
  const config = serverConfig({ port }, { policy: { levels: { 0: { handshake: handshakeS } } } })
  server = await startPeer('ours', config, { ports: [port] })
})
afterAll(async () => {
  await server.stop()
  await target.close()
})

async function dial(): Promise<Wire> {
  const wire = new Wire(connect({ host: '127.0.0.1', port, allowHalfOpen: true }), 'stranger', 15_000)
  await wire.connected()
  return wire
}

/** Nothing is answered, more bytes are taken, and the end comes with the handshake timeout as a plain FIN. */
async function expectSilence(wire: Wire, openedAt: number, more = randomBytes(5_000)): Promise<void> {
  await sleep(handshakeS * 150)
  await wire.write(more)
  expect(await wire.readSome(), 'an ordinary end, without a byte').toBeNull()
  const seconds = (performance.now() - openedAt) / 1000
  expect(seconds, 'closed before the handshake timeout').toBeGreaterThan(handshakeS - 0.2)
  expect(seconds).toBeLessThan(handshakeS + 6)
  wire.destroy()
}

/** The first flight of a real TLS client. */
function recordClientHello(): Promise<Buffer> {
  return new Promise((resolve) => {
    const socket = new Duplex({ read() {}, write: resolve })
    tlsConnect({ socket, servername: 'localhost' }).on('error', () => {})
  })
}

/** A SOCKS client says no more until it is answered. */
const socks5Greeting = Buffer.from([5, 1, 0])
const nothing = Buffer.alloc(0)
const order = Buffer.from('{"mode":"echo"}\nhello')

describe.concurrent('a stranger', () => {
  it.each([
    {
      what: 'HTTP',
      bytes: () => Buffer.from('GET / HTTP/1.1\r\nHost: example.org\r\nUser-Agent: curl/8\r\n\r\n'),
      reason: /HTTP.*VMESS_FOREIGN_PROTOCOL/,
    },
    { what: 'TLS', bytes: () => clientHello, reason: /TLS.*VMESS_FOREIGN_PROTOCOL/ },
    {
      what: 'SSH',
      bytes: () => Buffer.from('SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n'),
      reason: /SSH.*VMESS_FOREIGN_PROTOCOL/,
    },
    { what: 'SOCKS5', bytes: () => socks5Greeting, more: nothing, reason: /SOCKS.*VMESS_FOREIGN_PROTOCOL/ },
    {
      what: 'an unknown id',
      bytes: () => vmessClientBytes(target, order, { id: randomUUID() }),
      reason: /VMESS_UNKNOWN_USER/,
    },
    { what: 'random bytes', bytes: () => randomBytes(200), reason: /VMESS_UNKNOWN_USER/ },
    {
      what: 'a clock that is behind',
      bytes: () => vmessClientBytes(target, order, { clockOffsetS: -187 }),
      reason: /client clock is 18[78] s behind, limit 120 s/,
    },
    {
      what: 'a clock that is ahead',
      bytes: () => vmessClientBytes(target, order, { clockOffsetS: 300 }),
      reason: /client clock is (?:299|300) s ahead, limit 120 s/,
    },
  ])('with $what is named in the log and hears nothing', async ({ bytes, reason, more }) => {
    const openedAt = performance.now()
    const wire = await dial()
    const { localPort } = wire.socket
    await wire.write(bytes())
    await expectSilence(wire, openedAt, more)
    await server.logged(reason)
    await server.logged(new RegExp(` from 127\\.0\\.0\\.1:${localPort} rejected `))
    expect(server.log()).not.toMatch(new RegExp(`127\\.0\\.0\\.1:${localPort} accepted `))
  })

  it('that repeats a recorded connection is refused, though the first one is served', async () => {
    const recorded = vmessClientBytes(target, order)
    const honest = await dial()
    await honest.write(recorded)
    expect(await honest.readSome()).not.toBeNull()
    await server.logged(new RegExp(`127\\.0\\.0\\.1:${honest.socket.localPort} accepted tcp:`))
    honest.destroy()
    const openedAt = performance.now()
    const replay = await dial()
    await replay.write(recorded)
    await expectSilence(replay, openedAt)
    await server.logged(/VMESS_REPLAY/)
  })

  it('that sends nothing is let go at the handshake timeout', async () => {
    const openedAt = performance.now()
    const wire = await dial()
    expect(await wire.readSome()).toBeNull()
    expect((performance.now() - openedAt) / 1000).toBeGreaterThan(handshakeS - 0.2)
    wire.destroy()
  })
})
