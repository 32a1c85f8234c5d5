/** Our client, with multiplexing and with encodings of datagrams, against the real V2Ray. */

import { createServer, type Server } from 'node:net'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { buildOutbound, readTextFile } from '../../src/app/build/build.ts'
import { systemResolver } from '../../src/app/names/system-resolver.ts'
import { builtin } from '../../src/builtin/kinds.ts'
import { loadConfigValue } from '../../src/config/load.ts'
import type { Address } from '../../src/core/address.ts'
import type { PacketConn, UdpListening } from '../../src/core/datagrams/packet.ts'
import type { Outbound } from '../../src/core/dialer.ts'
import { forever } from '../../src/core/lifetime.ts'
import { udpListener } from '../../src/net/datagrams/udp-listener.ts'
import { acceptedByV2ray, asFiltered, WithAuthId } from './rig/auth-ids.ts'
import { type Root, serverConfig, testId } from './rig/configs.ts'
import { freePorts, hasV2ray, startPeer, withPeers } from './rig/harness.ts'

interface Client {
  readonly outbound: Outbound
  /** Connections to the server so far, which all differ to its replay filter. */
  dials(): number
}

/** As a configuration with these parts of an outbound makes it. */
function client(port: number, parts: object): Client {
  const users = [{ id: testId, alterId: 0, security: 'aes-128-gcm' }]
  const settings = { vnext: [{ address: '127.0.0.1', port, users }] }
  const { config } = loadConfigValue({ outbounds: [{ protocol: 'vmess', settings, ...parts }] })
  const env = acceptedByV2ray(testId, 17)
  const carriers: WithAuthId[] = []
  const outbound = buildOutbound(config!.outbounds[0]!, {
    kinds: builtin,
    env,
    read: readTextFile,
    resolve: systemResolver(env),
    watch: (ground) => ({
      ...ground,
      tcp: {
        dial: async (to, options) => {
          const carrier = new WithAuthId(await ground.tcp.dial(to, options))
          carriers.push(carrier)
          return carrier
        },
      },
    }),
  })
  const dials = () => {
    const different = new Set(carriers.map(({ authId }) => asFiltered(authId!)))
    expect(different.size).toBe(carriers.length)
    return carriers.length
  }
  return { outbound, dials }
}

async function withServer(body: (port: number) => Promise<void>, extra?: Root): Promise<void> {
  const [port] = await freePorts(1)
  const server = await startPeer('v2ray', serverConfig({ port: port!, alterId: 0 }, extra), { ports: [port!] })
  await withPeers([server], () => body(port!))
}

describe.runIf(hasV2ray)('streams in carriers to V2Ray', () => {
  let target: Server
  beforeEach(async () => {
    target = createServer({ allowHalfOpen: true }, (socket) => socket.on('error', () => {}).pipe(socket))
    await new Promise<void>((resolve) => target.listen(0, '127.0.0.1', resolve))
  })
  afterEach(() => target.close())

  async function exchange({ outbound }: Client, length: number, value: number): Promise<void> {
    const { port } = target.address() as { port: number }
    const conn = await outbound.dial({ host: '127.0.0.1', port }, { until: forever })
    const sent = new Uint8Array(length).map((_, i) => (i * 7 + value) & 0xff)
    const got: Uint8Array[] = []
    let had = 0
    await conn.write(sent)
    for (let next = await conn.read(); next; next = had < length ? await conn.read() : null) {
      got.push(next)
      had += next.length
      if (had >= length) break
    }
    expect(Buffer.compare(Buffer.concat(got), sent)).toBe(0)
    conn.destroy()
  }

  it.each([
    [1, 500],
    [8, 63],
    [128, 4],
  ])('500 requests at once, %i in a carrier, are exact and take %i connections', async (concurrency, connections) => {
    await withServer(async (port) => {
      const from = client(port, { mux: { enabled: true, concurrency } })
      await Promise.all(Array.from({ length: 500 }, (_, i) => exchange(from, 500 + i * 41, i)))
      expect(from.dials()).toBe(connections)
      await from.outbound.close()
    })
  })
})

describe.runIf(hasV2ray)('datagrams to V2Ray, from one client socket to twenty destinations', () => {
  let targets: UdpListening[]
  beforeEach(async () => {
    const echoFrom = (lent: Uint8Array, from: Address, at: UdpListening): void => {
      at.send(new Uint8Array([at.address.port >> 8, at.address.port & 0xff, ...lent]), from)
    }
    const listen = () => udpListener().listen({ host: '127.0.0.1', port: 0 }, echoFrom)
    targets = await Promise.all(Array.from({ length: 20 }, listen))
  })
  afterEach(() => {
    for (const target of targets) target.close()
  })

  /**
   * V2Ray binds the sockets of its datagrams to any port and with SO_REUSEPORT, so that Linux gives two of them the same one
   * now and then, and answers for one to the other: of 20 sockets in one of 150 runs. With addresses of their own no two
   * sockets are the same.
   */
  const apart = (): Root => ({
    outbounds: targets.map((_, i) => ({ tag: `from-${i}`, protocol: 'freedom', sendThrough: `127.0.1.${i + 1}` })),
    routing: {
      rules: targets.map(({ address }, i) => ({ type: 'field', port: address.port, outboundTag: `from-${i}` })),
    },
  })

  /** Which destination answered as which, after so many answers. */
  async function rounds(conn: PacketConn, lengths: readonly number[]): Promise<void> {
    let answers: string[] = []
    let all = () => {}
    conn
      .drainTo((lent, from) => {
        answers.push(`${(lent[0]! << 8) | lent[1]!} as ${from.port}: ${lent.length - 2}`)
        if (answers.length === targets.length) all()
      })
      .catch(() => {})
    for (const length of lengths) {
      const answered = new Promise<void>((resolve) => {
        all = resolve
      })
      answers = []
      for (const { address } of targets) expect(conn.send(new Uint8Array(length), address)).toBe(true)
      await answered
      expect(answers.sort()).toEqual(targets.map(({ address: { port } }) => `${port} as ${port}: ${length}`).sort())
    }
    conn.destroy()
  }

  it.each([
    ['automatic', {}, 'xudp', 20],
    ['none', { packetEncoding: 'none' }, 'plain', 20],
    ['automatic in carriers', { mux: { enabled: true, concurrency: 8 } }, 'xudp', 3],
    ['none in carriers', { mux: { enabled: true, concurrency: 128 }, packetEncoding: 'none' }, 'mux', 1],
    ['in carriers of their own', { mux: { enabled: true, concurrency: -1, xudpConcurrency: 16 } }, 'xudp', 2],
  ])('%s: every answer comes from the right one', async (_, parts, encoding, connections) => {
    await withServer(async (port) => {
      const { outbound, dials } = client(port, parts)
      const conn = await outbound.packets!.open({ until: forever })
      await rounds(conn, [1, 40, 512, 1200, 1400])
      expect(conn.info.encoding).toBe(encoding)
      expect(dials()).toBe(connections)
      await outbound.close()
    }, apart())
  })
})
