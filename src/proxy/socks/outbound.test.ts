import { describe, expect, it } from 'vitest'
import type { Address } from '../../core/address.ts'
import type { Conn } from '../../core/conn.ts'
import type { PacketConn } from '../../core/datagrams/packet.ts'
import { silentLogger } from '../../core/env.ts'
import { ProxyError } from '../../core/errors.ts'
import { forever, Life } from '../../core/lifetime.ts'
import { memoryPair } from '../../net/memory/memory.ts'
import { memoryPackets } from '../../net/memory/memory-packets.ts'
import { SocksHandshake, type SocksRequest } from '../../protocol/socks/handshake.ts'
import { Logins } from '../../protocol/socks/logins.ts'
import { socksReply } from '../../protocol/socks/reply.ts'
import type { SocksOutboundSettings } from '../../settings/model.ts'
import { connSuite } from '../../testing/conn-suite.ts'
import { fakeClock, fakeRandom } from '../../testing/fakes.ts'
import { packetSuite } from '../../testing/packet-suite.ts'
import { createSocksOutbound } from './outbound.ts'
import { SocksPackets } from './packets.ts'

const clock = fakeClock(1_700_000_000_000)
const env = { clock, random: fakeRandom(3), log: silentLogger }
const target = { host: 'example.com', port: 443 }
const proxy = { host: '192.0.2.7', port: 1080 }
const relay = { host: '192.0.2.7', port: 5353 }
const alice = { user: 'alice', pass: 'secret', level: 3 }

/** Serves what is dialled as a SOCKS proxy; `asked` resolves with what it was asked for. */
async function serve(far: Conn, logins?: Logins, bound?: Address): Promise<SocksRequest> {
  const handshake = new SocksHandshake(logins, true)
  for (;;) {
    const { send, request, refused } = handshake.push((await far.read())!)
    await far.write(send)
    if (refused) throw refused
    if (!request) continue
    await far.write(socksReply(request.version, 0, bound))
    return request
  }
}

function rig(settings: Partial<SocksOutboundSettings> = {}, logins?: Logins, bound: Address = relay) {
  const asked: Promise<SocksRequest>[] = []
  const far: Conn[] = []
  const dialled: Address[] = []
  const sockets: PacketConn[] = []
  const outbound = createSocksOutbound(
    'up',
    { servers: [{ address: proxy, users: [] }], version: '5', delayAuth: false, ...settings },
    {
      env,
      resolve: async (host, family) => (host === 'v4.example' && family !== 6 ? ['198.51.100.9'] : []),
      dialer: {
        async dial(to) {
          dialled.push(to)
          const [near, other] = memoryPair()
          far.push(other)
          const served = serve(other, logins, bound)
          served.catch(() => other.closeWrite())
          asked.push(served)
          return near
        },
      },
      udp: {
        async open() {
          const [near, other] = memoryPackets()
          sockets.push(other)
          return near
        },
      },
    },
  )
  return { outbound, asked, far, dialled, sockets }
}

connSuite(
  'through a SOCKS proxy',
  async () => {
    const { outbound, far } = rig()
    return { a: await outbound.dial(target, { until: forever }), b: far[0]!, close: async () => {} }
  },
  { halfClose: true, test: { describe, it } },
)

packetSuite(
  'through a SOCKS proxy',
  async () => {
    const { outbound, sockets } = rig()
    const a = await outbound.packets!.open({ until: forever })
    const b = new SocksPackets(relabelled(sockets[0]!), () => {})
    const there = { to: target, from: target }
    return { a, b, aToB: [there], bToA: [there], close: async () => {} }
  },
  { closeWrite: true, test: { describe, it } },
)

/** A proxy's socket sends from where it is, whoever the datagram is from. */
function relabelled(base: PacketConn): PacketConn {
  return new Proxy(base, {
    get(conn, key) {
      if (key === 'send') return (bytes: Uint8Array) => conn.send(bytes, relay)
      const value = Reflect.get(conn, key, conn)
      return typeof value === 'function' ? value.bind(conn) : value
    },
  })
}

describe('the SOCKS outbound', () => {
  it('connects with a login, and says which level it has', async () => {
    const { outbound, asked, dialled } = rig({ servers: [{ address: proxy, users: [alice] }] }, new Logins([alice]))
    const conn = await outbound.dial(target, { until: forever })
    expect(await asked[0]).toMatchObject({ command: 'connect', ...target, login: { user: 'alice' } })
    expect(dialled).toEqual([proxy])
    expect(conn.info).toMatchObject({ layers: ['memory', 'socks'], level: 3 })
    conn.destroy()
  })

  it('names the proxy that refuses it, and leaves nothing open', async () => {
    const { outbound, far } = rig({}, new Logins([alice]))
    const dialled = outbound.dial(target, { until: forever })
    await expect(dialled).rejects.toMatchObject({
      code: 'UPSTREAM_UNAUTHORIZED',
      message: 'the SOCKS proxy 192.0.2.7:1080 wants a user and a password',
    })
    await expect(far[0]!.read()).rejects.toThrow()
  })

  it('gives up with its dial', async () => {
    const life = new Life()
    const silent: Conn[] = []
    const outbound = createSocksOutbound(
      'up',
      { servers: [{ address: proxy, users: [] }], version: '5', delayAuth: false },
      {
        ...{ env, resolve: async () => [], udp: { open: () => Promise.reject(new Error('unused')) } },
        dialer: {
          async dial() {
            const [near, far] = memoryPair()
            silent.push(far)
            return near
          },
        },
      },
    )
    const dialling = outbound.dial(target, { until: life })
    await Promise.resolve()
    life.end(new ProxyError('DIAL_TIMEOUT', 'no connection within 16 s'))
    await expect(dialling).rejects.toMatchObject({ code: 'DIAL_TIMEOUT' })
  })

  it('tells that a proxy has no answer', async () => {
    const { outbound, far } = rig()
    const dialling = outbound.dial(target, { until: forever })
    await Promise.resolve()
    await Promise.resolve()
    far[0]?.destroy()
    await expect(dialling).rejects.toMatchObject({
      code: 'UPSTREAM_BAD_ANSWER',
      message: expect.stringMatching(/^the SOCKS proxy 192.0.2.7:1080 did not answer/),
    })
  })

  it('looks names up for SOCKS4, and not for 4a', async () => {
    const four = rig({ version: '4' })
    await four.outbound.dial({ host: 'v4.example', port: 80 }, { until: forever })
    expect(await four.asked[0]).toMatchObject({ version: 4, host: '198.51.100.9', port: 80 })
    await expect(four.outbound.dial({ host: 'v6.example', port: 80 }, { until: forever })).rejects.toMatchObject({
      code: 'DNS_FAILED',
    })
    expect(four.outbound.packets).toBeUndefined()
    const named = rig({ version: '4a' })
    await named.outbound.dial(target, { until: forever })
    expect(await named.asked[0]).toMatchObject({ version: 4, host: 'example.com' })
  })

  it('takes turns with several proxies, and passes over one that cannot be reached', async () => {
    const dialled: number[] = []
    const outbound = createSocksOutbound(
      'up',
      {
        servers: [1, 2, 3].map((port) => ({ address: { ...proxy, port }, users: [] })),
        version: '5',
        delayAuth: false,
      },
      {
        ...{ env, resolve: async () => [], udp: { open: () => Promise.reject(new Error('unused')) } },
        dialer: {
          async dial({ port }) {
            dialled.push(port)
            if (port === 2) throw new ProxyError('DIAL_REFUSED', 'nobody there')
            const [near, far] = memoryPair()
            void serve(far)
            return near
          },
        },
      },
    )
    for (let i = 0; i < 4; i++) (await outbound.dial(target, { until: forever })).destroy()
    expect(dialled).toEqual([1, 2, 3, 1, 3])
  })
})

describe('datagrams through a SOCKS proxy', () => {
  it('go where the proxy says, or to the proxy where it says nothing', async () => {
    for (const [bound, to] of [
      [relay, '192.0.2.7:5353'],
      [{ host: '0.0.0.0', port: 99 }, '192.0.2.7:99'],
      [{ host: '::', port: 98 }, '192.0.2.7:98'],
    ] as const) {
      const { outbound, sockets, asked } = rig({}, undefined, bound)
      const packets = await outbound.packets!.open({ until: forever })
      expect((await asked[0])!.command).toBe('associate')
      const came = new Promise<string>((resolve) => {
        void sockets[0]!.drainTo((_, at) => resolve(`${at.host}:${at.port}`)).catch(() => {})
      })
      packets.send(Uint8Array.of(1), target)
      expect(await came).toBe(to)
      packets.destroy()
    }
  })

  it('end with the connection that they were asked for by, and end it', async () => {
    const first = rig()
    const one = await first.outbound.packets!.open({ until: forever })
    await first.asked[0]
    await first.far[0]!.closeWrite()
    expect(await new Promise((resolve) => one.onGone(resolve))).toMatchObject({ message: /ended the association/ })
    const second = rig()
    const two = await second.outbound.packets!.open({ until: forever })
    two.destroy()
    await expect(second.far[0]!.read()).rejects.toThrow()
  })

  it('do not take what others send', async () => {
    const { outbound, sockets } = rig()
    const packets = await outbound.packets!.open({ until: forever })
    const got: string[] = []
    packets.drainTo((bytes, { host }) => got.push(`${host} ${bytes[0]}`)).catch(() => {})
    const header = Uint8Array.of(0, 0, 0, 1, 9, 9, 9, 9, 0, 53)
    sockets[0]!.send(Uint8Array.of(...header, 1), { host: '203.0.113.1', port: 5353 })
    sockets[0]!.send(Uint8Array.of(...header, 2), { ...relay, port: 5354 })
    sockets[0]!.send(Uint8Array.of(0, 0, 1, 1, 9, 9, 9, 9, 0, 53, 3), relay)
    sockets[0]!.send(Uint8Array.of(...header, 4), relay)
    await expect.poll(() => got).toEqual(['9.9.9.9 4'])
    packets.destroy()
  })
})
