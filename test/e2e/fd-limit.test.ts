import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { freePorts, type Peer, startPeer, withPeers } from '../interop/rig/harness.ts'
import { socksConnect } from '../interop/rig/socks-client.ts'
import { echoOnce, order } from '../interop/rig/traffic.ts'
import { startTarget, type Target } from '../interop/target.ts'
import { SilentTarget } from '../support/silent-target.ts'
import { eventually, hasProc, openDescriptors } from './process-usage.ts'

let target: Target
beforeAll(async () => {
  target = await startTarget()
})
afterAll(() => target.close())

/** A SOCKS inbound in a process that may have so many descriptors. */
async function underLimit(descriptors: number, body: (port: number, server: Peer) => Promise<void>): Promise<void> {
  const [port] = (await freePorts(1)) as [number]
  const config = {
    log: { loglevel: 'warning' },
    inbounds: [{ protocol: 'socks', listen: '127.0.0.1', port }],
    outbounds: [{ protocol: 'freedom' }],
  }
  const under = ['sh', '-c', `ulimit -n ${descriptors}; exec "$@"`, 'sh']
  const server = await startPeer('ours', config, { ports: [port], under })
  await withPeers([server], () => body(port, server))
}

/** One client that is served and leaves. */
async function beServed(port: number): Promise<void> {
  const wire = await socksConnect(port, target, { stallMs: 15_000 })
  await order(wire, { mode: 'echo' })
  await echoOnce(wire, Buffer.from('hello'))
  wire.destroy()
}

/** Greeting and request in one, for a port of this machine. */
const request = (port: number): Uint8Array => Uint8Array.of(5, 1, 0, 5, 1, 0, 1, 127, 0, 0, 1, port >> 8, port & 0xff)

/** A connection that says nothing. */
async function idle(port: number): Promise<Socket> {
  const socket = connect(port, '127.0.0.1').on('error', () => {})
  await once(socket, 'connect')
  return socket.resume()
}

it.runIf(hasProc)('150 clients at once under a limit of 200 are all served, as room comes', () =>
  underLimit(200, async (port, server) => {
    const outcomes = await Promise.allSettled(Array.from({ length: 150 }, () => beServed(port)))
    expect(outcomes.filter(({ status }) => status === 'rejected')).toEqual([])
    expect(server.running()).toBe(true)
  }),
)

it.runIf(hasProc)('idle strangers in any number keep nobody out, nor do they cost those who are served already', () =>
  underLimit(128, async (port, server) => {
    const early = await socksConnect(port, target, { stallMs: 15_000 })
    await order(early, { mode: 'echo' })
    const strangers: Socket[] = []
    for (let i = 0; i < 300; i++) {
      strangers.push(await idle(port))
      if (i % 50 === 49) await beServed(port)
    }
    await echoOnce(early, Buffer.from('still here'))
    await server.logged(/file descriptors are running out \(limit 128\): the oldest connections in their handshake/)
    expect(strangers.at(-1)!.closed).toBe(false)
    for (const socket of [...strangers, early]) socket.destroy()
  }),
)

it.runIf(hasProc)('where all descriptors carry something the newest is closed, and when they end all goes on', () =>
  underLimit(128, async (port, server) => {
    const held: Socket[] = []
    for (let i = 0; i < 110; i++) {
      const socket = await idle(port)
      socket.write(request(target.port))
      // Its greeting is answered, and it counts as known; its request may have to wait.
      await Promise.race([once(socket, 'data'), once(socket, 'close')]).catch(() => {})
      held.push(socket)
    }
    await server.logged(/limit 128\): new connections are closed, because all are in use/)
    expect(held.slice(0, 80).some(({ closed }) => closed)).toBe(false)
    expect(held.at(-1)!.closed).toBe(true)
    for (const wire of held) wire.destroy()
    expect(
      await eventually(() =>
        beServed(port).then(
          () => true,
          () => false,
        ),
      ),
    ).toBe(true)
  }),
)

it.runIf(hasProc)('a dial to a target that drops everything ends with its client', async () => {
  const silent = await SilentTarget.start()
  const leave = { reset: (socket: Socket) => socket.resetAndDestroy(), fin: (socket: Socket) => socket.destroy() }
  try {
    await underLimit(1_000, async (port, server) => {
      await beServed(port)
      const before = openDescriptors(server.pid)
      for (const [how, go] of Object.entries(leave)) {
        const sockets = await Promise.all(Array.from({ length: 20 }, () => idle(port)))
        for (const socket of sockets) {
          socket.write(request(silent.port))
        }
        expect(await eventually(() => openDescriptors(server.pid) > before + 30)).toBe(true)
        for (const socket of sockets) go(socket)
        expect([how, await eventually(() => openDescriptors(server.pid) <= before)]).toEqual([how, true])
      }
    })
  } finally {
    silent.close()
  }
})
