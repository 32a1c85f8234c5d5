/** Encodings of datagrams, through an outbound, in front of servers that know more or less. */
import { describe, expect, it } from 'vitest'
import { type DatagramManner, datagramServer } from '../../../../test/support/datagram-servers.ts'
import { turns } from '../../../../test/support/mux-pair.ts'
import { startMs, testServer, testUser } from '../../../../test/support/vmess-pair.ts'
import { fakeNetwork } from '../../../../test/support/vmess-servers.ts'
import { type Address, formatAddress } from '../../../core/address.ts'
import type { PacketConn } from '../../../core/datagrams/packet.ts'
import { silentLogger } from '../../../core/env.ts'
import { forever } from '../../../core/lifetime.ts'
import { limits } from '../../../core/limits.ts'
import type { MuxSettings, PacketEncoding } from '../../../settings/model.ts'
import { fakeClock, fakeRandom } from '../../../testing/fakes.ts'
import { createVmessOutbound } from '../outbound.ts'

const user = { ...testUser(), security: 'aes-128-gcm' } as const
const address = { host: 'server', port: 443 }
const to = (port: number, host = '192.0.2.1'): Address => ({ host, port })
const twenty = Array.from({ length: 20 }, (_, i) => to(1_000 + i))

interface Options {
  readonly packetEncoding?: PacketEncoding
  readonly mux?: MuxSettings
  readonly coneDisabled?: boolean
}

function rig(manner: DatagramManner, options: Options = {}) {
  const clock = fakeClock(startMs)
  const server = datagramServer(testServer([user], clock), manner)
  const network = fakeNetwork({ 'server:443': (conn) => server.accept(conn) })
  const outbound = createVmessOutbound(
    'out',
    { servers: [{ address, users: [user] }] },
    {
      dialer: network.dialer,
      env: { clock, random: fakeRandom(5), log: silentLogger },
      auto: 'aes-128-gcm',
      legacyHeader: false,
      ...options,
    },
  )
  /** A client socket, and the answers that it got as `port: text`. */
  const socket = async (first?: Address) => {
    const conn = await outbound.packets!.open({ until: forever, ...(first && { first }) })
    const answers: string[] = []
    conn
      .drainTo((lent, from) => void answers.push(`${formatAddress(from)} ${Buffer.from(lent)}`))
      .catch(() => answers.push('gone'))
    return { conn, answers }
  }
  return { clock, server, outbound, socket }
}

async function send(conn: PacketConn, text: string, ...targets: readonly Address[]): Promise<boolean[]> {
  const sent = targets.map((target) => conn.send(new TextEncoder().encode(text), target))
  await turns(20)
  return sent
}

const echoes = (text: string, ...targets: readonly Address[]) => targets.map((at) => `${formatAddress(at)} ${text}`)

describe('automatic', () => {
  it('a server that knows XUDP: each of a burst has its own session, then one carries all, with sources', async () => {
    const { server, socket } = rig('xudp')
    const { conn, answers } = await socket()
    await send(conn, 'a', ...twenty)
    expect(answers.sort()).toEqual(echoes('a', ...twenty))
    expect(server.sessions).toHaveLength(20)
    await send(conn, 'b', ...twenty, to(9_999))
    expect(server.sessions).toHaveLength(20)
    expect(server.sessions[0]!.sent.slice(1)).toEqual([...twenty, to(9_999)].map(formatAddress))
    expect(conn.info.encoding).toBe('xudp')
    server.sessions[0]!.conn.send(Uint8Array.of(0x63), to(7, '198.51.100.7'))
    await turns()
    expect(answers.at(-1)).toBe('198.51.100.7:7 c')
  })

  it('a server known to know it gets one session from the start, also from other sockets', async () => {
    const { server, socket } = rig('xudp')
    await send((await socket()).conn, 'a', to(1))
    const { conn, answers } = await socket()
    await send(conn, 'b', ...twenty)
    expect(answers).toEqual(echoes('b', ...twenty))
    expect(server.sessions).toHaveLength(2)
  })

  it('a server that ignores addresses: a session for every destination, for ever', async () => {
    const { server, socket } = rig('bare')
    const { conn, answers } = await socket(to(1_000))
    for (const text of ['a', 'b']) {
      await send(conn, text, ...twenty)
      expect(answers.splice(0).sort()).toEqual(echoes(text, ...twenty))
    }
    expect(server.sessions.map(({ target }) => target)).toEqual(twenty.map(formatAddress))
    const next = await socket()
    await send(next.conn, 'c', ...twenty)
    expect(next.answers.sort()).toEqual(echoes('c', ...twenty))
    expect(server.sessions).toHaveLength(40)
  })

  it('a server that ends command 3 gets what it was sent by command 2, and all else from then on', async () => {
    const { server, socket } = rig('ends')
    const { conn, answers } = await socket(to(1))
    await send(conn, 'a', to(1))
    await send(conn, 'b', to(1), to(2))
    expect(answers).toEqual([...echoes('a', to(1)), ...echoes('b', to(1), to(2))])
    expect(server.requests).toEqual(['mux', 'udp', 'udp'])
    expect(conn.info.encoding).toBe('plain')
    expect(conn.dropped).toBe(0)
    const next = await socket()
    await send(next.conn, 'c', to(3))
    expect(next.answers).toEqual(echoes('c', to(3)))
    expect(server.requests).toEqual(['mux', 'udp', 'udp', 'udp'])
  })

  it('ports 53 and 443 go by command 2, one for each destination', async () => {
    const { server, socket } = rig('xudp')
    const { conn, answers } = await socket()
    const apart = [to(53), to(443), to(53, 'dns.example')]
    await send(conn, 'a', to(1))
    await send(conn, 'b', ...apart, to(2))
    expect(answers.splice(0).sort()).toEqual([...echoes('a', to(1)), ...echoes('b', to(2), ...apart)].sort())
    expect(server.requests.sort()).toEqual(['mux', 'udp', 'udp', 'udp'])
  })

  it('a server that became another one is noticed at its first answer', async () => {
    const { server, socket } = rig('xudp')
    await send((await socket()).conn, 'a', to(1))
    server.manner = 'bare'
    const { conn, answers } = await socket()
    await send(conn, 'b', to(1))
    await send(conn, 'c', to(1), to(2))
    expect(answers).toEqual([...echoes('b', to(1)), ...echoes('c', to(1), to(2))])
  })

  it('a connection that is lost in the middle is followed by one that goes on with the same socket at the server', async () => {
    const { server, socket } = rig('xudp')
    const { conn, answers } = await socket()
    await send(conn, 'a', to(1))
    server.bases[0]!.destroy()
    await turns()
    expect(conn.gone).toBeUndefined()
    await send(conn, 'b', to(1), to(2))
    expect(answers).toEqual([...echoes('a', to(1)), ...echoes('b', to(1), to(2))])
    expect(server.requests).toEqual(['mux', 'mux'])
    expect(server.sessions).toHaveLength(1)
  })

  it('a server that is silent, or ends late, is not taken for one that refuses', async () => {
    const { clock, server, socket } = rig('xudp')
    server.answering = false
    const { conn, answers } = await socket()
    await send(conn, 'a', to(1))
    clock.advance(limits.xudpTrialMs)
    server.bases[0]!.destroy()
    await turns()
    expect(answers).toEqual(['gone'])
    server.answering = true
    const next = await socket()
    await send(next.conn, 'b', to(1))
    expect(server.requests).toEqual(['mux', 'mux'])
  })

  it('is off where cone is switched off: command 2 alone', async () => {
    for (const packetEncoding of ['auto', 'xudp'] as const) {
      const { server, socket } = rig('xudp', { coneDisabled: true, packetEncoding })
      const { conn, answers } = await socket()
      await send(conn, 'a', to(1), to(2))
      expect(answers).toEqual(echoes('a', to(1), to(2)))
      expect(server.requests).toEqual(['udp', 'udp'])
    }
  })

  it('leaves no timer when the socket is closed', async () => {
    for (const manner of ['xudp', 'bare', 'ends'] as const) {
      const { clock, socket } = rig(manner)
      const { conn } = await socket()
      await send(conn, 'a', to(1), to(53))
      conn.destroy()
      await turns()
      // The server remembers the GlobalID for a while.
      expect([manner, clock.pending]).toEqual([manner, manner === 'xudp' ? 1 : 0])
    }
  })
})

describe('as asked for', () => {
  it('none: command 2, one for each destination', async () => {
    const { server, socket } = rig('xudp', { packetEncoding: 'none' })
    const { conn, answers } = await socket(to(1))
    await send(conn, 'a', to(1), to(2))
    expect(answers).toEqual(echoes('a', to(1), to(2)))
    expect(server.requests).toEqual(['udp', 'udp'])
    expect(conn.info.encoding).toBe('plain')
  })

  it('xudp: one session for all, every port included', async () => {
    const { server, socket } = rig('xudp', { packetEncoding: 'xudp' })
    const { conn, answers } = await socket()
    const targets = [to(53), to(443), to(5, 'name.example')]
    await send(conn, 'a', ...targets)
    expect(answers).toEqual(echoes('a', ...targets))
    expect(server.requests).toEqual(['mux'])
  })

  it('packet: units in one connection by command 2, without names', async () => {
    const { server, socket } = rig('bare', { packetEncoding: 'packet' })
    const { conn, answers } = await socket()
    expect(await send(conn, 'a', to(1), to(2), to(3, '2001:db8::1'))).toEqual([true, true, true])
    expect(answers).toEqual(echoes('a', to(1), to(2), to(3, '2001:db8::1')))
    expect(await send(conn, 'a', to(4, 'name.example'))).toEqual([false])
    expect(server.sessions).toMatchObject([{ command: 'udp', target: 'sp.packet-addr.v2fly.arpa:0' }])
    expect(conn).toMatchObject({ dropped: 1, info: { encoding: 'packetaddr' } })
  })
})

describe('within carriers', () => {
  const mux = { streams: 8, datagrams: 'shared', udp443: 'allow' } as const

  it('a server that knows XUDP: one session, in one carrier', async () => {
    const { server, socket } = rig('xudp', { mux })
    const { conn, answers } = await socket()
    await send(conn, 'a', to(1))
    await send(conn, 'b', ...twenty, to(53))
    expect(answers.sort()).toEqual([...echoes('a', to(1)), ...echoes('b', ...twenty, to(53))].sort())
    expect(server.requests).toEqual(['mux'])
    expect(server.sessions.map(({ target }) => target)).toEqual(['192.0.2.1:1', '192.0.2.1:53'])
  })

  it('a server that ignores addresses: a session for each destination', async () => {
    const { server, socket } = rig('bare', { mux })
    const { conn, answers } = await socket()
    await send(conn, 'a', ...twenty)
    await send(conn, 'b', ...twenty)
    expect(answers.sort()).toEqual([...echoes('a', ...twenty), ...echoes('b', ...twenty)].sort())
    expect(server.sessions).toHaveLength(20)
    expect(server.requests).toEqual(['mux', 'mux', 'mux'])
  })

  it('a carrier that is lost is followed by another, the socket at the server stays', async () => {
    const { server, socket } = rig('xudp', { mux, packetEncoding: 'xudp' })
    const { conn, answers } = await socket()
    await send(conn, 'a', to(1))
    server.bases[0]!.destroy()
    await turns()
    await send(conn, 'b', to(2))
    expect(answers).toEqual([...echoes('a', to(1)), ...echoes('b', to(2))])
    expect(server.sessions).toHaveLength(1)
    expect(server.requests).toEqual(['mux', 'mux'])
  })

  it('xudpConcurrency has carriers of its own, and concurrency below 0 none for streams', async () => {
    const { server, socket, outbound } = rig('xudp', { mux: { streams: 0, datagrams: 1, udp443: 'allow' } })
    await send((await socket()).conn, 'a', to(1))
    await send((await socket()).conn, 'a', to(1))
    const stream = await outbound.dial(to(80), { until: forever })
    void stream.write(new Uint8Array(1))
    await turns()
    expect(server.requests).toEqual(['mux', 'mux', 'tcp'])
    const apart = rig('xudp', { mux: { streams: 8, datagrams: 0, udp443: 'allow' }, packetEncoding: 'none' })
    await send((await apart.socket()).conn, 'a', to(1))
    expect(apart.server.requests).toEqual(['udp'])
  })

  it('xudpProxyUDP443: rejected, skipped or carried', async () => {
    const outcome = async (udp443: MuxSettings['udp443']) => {
      const { server, socket } = rig('xudp', { mux: { ...mux, udp443 } })
      const { conn, answers } = await socket(to(443))
      const sent = await send(conn, 'a', to(443), to(1))
      return { sent, answers: answers.sort(), requests: server.requests.sort() }
    }
    expect(await outcome('reject')).toEqual({ sent: [false, true], answers: echoes('a', to(1)), requests: ['mux'] })
    const answers = echoes('a', to(1), to(443))
    expect(await outcome('skip')).toEqual({ sent: [true, true], answers, requests: ['mux', 'udp'] })
    expect(await outcome('allow')).toEqual({ sent: [true, true], answers, requests: ['mux'] })
  })

  it('close() takes nothing new, and carriers end with what they carry', async () => {
    const { server, socket, outbound } = rig('xudp', { mux })
    const { conn, answers } = await socket()
    await send(conn, 'a', to(1))
    await outbound.close()
    await send(conn, 'b', to(1))
    expect(answers).toEqual([...echoes('a', to(1)), ...echoes('b', to(1))])
    await expect(outbound.dial(to(80), { until: forever })).rejects.toMatchObject({ code: 'CONN_CLOSED' })
    conn.destroy()
    await turns(10)
    expect(server.bases[0]!.gone).toBeDefined()
  })
})
