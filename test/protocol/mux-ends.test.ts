/** Recorded conversations through our two ends of a carrier: what applications see of a V2Ray, Xray or sing-box on the other side. */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import type { Address } from '../../src/core/address.ts'
import type { Conn } from '../../src/core/conn.ts'
import type { PacketConn } from '../../src/core/datagrams/packet.ts'
import { silentLogger } from '../../src/core/env.ts'
import { forever } from '../../src/core/lifetime.ts'
import { memoryPair } from '../../src/net/memory/memory.ts'
import { memoryPackets } from '../../src/net/memory/memory-packets.ts'
import { sequencedTarget } from '../../src/protocol/packetaddr/unit.ts'
import { MuxPool } from '../../src/proxy/mux/pool.ts'
import { serveMux } from '../../src/proxy/mux/server.ts'
import { xudpOver } from '../../src/proxy/mux/xudp.ts'
import { PacketaddrPackets } from '../../src/proxy/vmess/encoding/packetaddr.ts'
import { fakeClock } from '../../src/testing/fakes.ts'
import { taker, turns } from '../support/mux-pair.ts'
import { openedConversation, recorded } from '../support/peers-mux.ts'
import { concat, fromHex, pattern, sameBytes, toHex } from '../support/vectors.ts'

const env = () => ({ clock: fakeClock(1_700_000_000_000), log: silentLogger })

/** Our pool, connected to a server that says what was recorded. */
function client() {
  const { clock, log } = env()
  const [base, server] = memoryPair()
  const said: Uint8Array[] = []
  server.drainTo((lent) => void said.push(Uint8Array.from(lent))).catch(() => {})
  const pool = new MuxPool({ env: { clock, log }, concurrency: 8, carriers: { dial: async () => base } })
  return { clock, pool, server, said: () => toHex(concat(...said.splice(0))) }
}

/** Our server, and the client that says what was recorded. */
function server() {
  const taken = taker()
  const [base, far] = memoryPair()
  serveMux(far, env(), taken.taker)
  const said: Uint8Array[] = []
  base.drainTo((lent) => void said.push(Uint8Array.from(lent))).catch(() => {})
  return { ...taken, base, said: () => toHex(concat(...said.splice(0))) }
}

/** Bytes so far, and how it ended. */
function reading(conn: Conn) {
  const seen = { hex: '', end: '' }
  conn
    .drainTo((lent) => {
      seen.hex += toHex(lent)
    })
    .then(
      () => {
        seen.end = 'EOF'
      },
      () => {
        seen.end = 'closed'
      },
    )
  return seen
}

function receiving(conn: PacketConn) {
  const got: [string, Address][] = []
  const seen = { got, end: '' }
  conn
    .drainTo((lent, from) => void got.push([toHex(lent), from]))
    .then(
      () => {
        seen.end = 'EOF'
      },
      () => {
        seen.end = 'closed'
      },
    )
  return seen
}

interface Event {
  readonly step: string
  readonly dir: 'c2s' | 's2c'
  readonly hex: string
}

const { transcript } = JSON.parse(readFileSync(new URL('../vectors/mux.json', import.meta.url), 'utf8')) as {
  transcript: { events: Event[] }
}
const steps = (dir: Event['dir'], from: number, to = from): Uint8Array[] =>
  transcript.events
    .filter((event) => event.dir === dir && Number(event.step.slice(0, 2)) >= from)
    .filter((event) => Number(event.step.slice(0, 2)) <= to)
    .map((event) => fromHex(event.hex))

const utf8 = (text: string) => toHex(new TextEncoder().encode(text))

describe('V2Ray’s client, step by step, in front of our server', () => {
  it('is understood, and told what V2Ray’s server tells it', async () => {
    const { base, streams, packets, said } = server()
    const send = async (from: number, to = from) => {
      for (const bytes of steps('c2s', from, to)) base.write(bytes)
      await turns()
    }
    await send(1)
    const one = reading(streams[0]!.conn)
    expect(streams[0]!.target).toEqual({ host: 'example.com', port: 80 })
    expect(one.hex).toBe(utf8('GET / HTTP/1.0\r\n\r\n'))
    streams[0]!.conn.write(new TextEncoder().encode('HTTP/1.0 200 OK\r\n\r\nhi'))
    await turns()
    expect(said()).toBe(toHex(concat(...steps('s2c', 2))))
    await send(3)
    const two = receiving(packets[0]!.conn)
    const dns = { host: '8.8.8.8', port: 53 }
    expect(two.got).toEqual([
      [utf8('query-A'), dns],
      [utf8('query-BB'), dns],
    ])
    await send(5, 6)
    const three = reading(streams[1]!.conn)
    expect(streams[1]!.target).toEqual({ host: '2001:db8::1', port: 443 })
    expect(three.hex).toBe('160301')
    streams[1]!.conn.closeWrite()
    await turns()
    expect(said()).toBe(toHex(concat(...steps('s2c', 7))))
    // Ours hears what the client's application goes on sending, and its end; V2Ray's server throws it away.
    await send(8, 9)
    expect(three).toEqual({ hex: `160301${utf8('late')}`, end: 'EOF' })
    await send(10)
    expect(one.end).toBe('EOF')
    streams[0]!.conn.write(new TextEncoder().encode('too late'))
    await turns()
    expect(said()).toBe(toHex(concat(...steps('s2c', 11))))
    await send(11)
    await expect(streams[0]!.conn.write(Uint8Array.of(1))).rejects.toMatchObject({ code: 'CONN_RESET' })
    await send(13)
    expect(two.end).toBe('closed')
    await send(14)
    expect(said()).toBe('')
    await send(15)
    expect(receiving(packets[1]!.conn).got).toEqual([['23', { host: 'ntp.example.org', port: 123 }]])
  })
})

describe('V2Ray’s server, step by step, behind our client', () => {
  it('is understood, and told what V2Ray’s client tells it', async () => {
    const { clock, pool, server: far, said } = client()
    const answer = async (step: number) => {
      for (const bytes of steps('s2c', step)) far.write(bytes)
      await turns()
    }
    const spoken = async (from: number, to = from) => {
      await turns()
      expect(said()).toBe(toHex(concat(...steps('c2s', from, to))))
    }
    const sends = (conn: Conn, text: string) => conn.write(new TextEncoder().encode(text))
    const app1 = await pool.dial({ host: 'example.com', port: 80 }, { until: forever })
    sends(app1, 'GET / HTTP/1.0\r\n\r\n')
    await spoken(1)
    const one = reading(app1)
    await answer(2)
    expect(one.hex).toBe(utf8('HTTP/1.0 200 OK\r\n\r\nhi'))
    const dns = { host: '8.8.8.8', port: 53 }
    const app2 = await pool.packets(forever, { addressed: false })
    for (const text of ['query-A', 'query-BB']) app2.send(new TextEncoder().encode(text), dns)
    await spoken(3)
    const two = receiving(app2)
    await answer(4)
    expect(two.got).toEqual([
      [utf8('answer-A'), dns],
      [utf8('answer-BB'), dns],
    ])
    const app3 = await pool.dial({ host: '2001:db8::1', port: 443 }, { until: forever })
    clock.advance(100)
    await spoken(5)
    app3.write(Uint8Array.of(0x16, 3, 1))
    await spoken(6)
    const three = reading(app3)
    await answer(7)
    expect(three.end).toBe('EOF')
    sends(app3, 'late')
    await spoken(8)
    await answer(8)
    // The server's second End says that it is not listening, where V2Ray's client goes on until its application ends.
    await expect(app3.write(Uint8Array.of(1))).rejects.toMatchObject({ code: 'CONN_RESET' })
    app1.closeWrite()
    await spoken(10)
    await answer(11)
    // An answer behind our End, which V2Ray's client loses.
    expect(one.hex).toBe(utf8('HTTP/1.0 200 OK\r\n\r\nhitoo late'))
    await answer(12)
    expect(one.end).toBe('EOF')
    await answer(13)
    expect(two.end).toBe('closed')
    await answer(14)
    expect(said()).toBe('')
  })
})

describe('recorded carriers', () => {
  const target = (c: { target: { address: string; port: number } }) => ({ host: c.target.address, port: c.target.port })

  it('two streams of an Xray client through our server, and of an Xray server through our client', async () => {
    const c = recorded('xray', 'mux concurrency 8, two connections')
    const { uplink, downlink } = openedConversation(c)
    const whole = pattern(c.sizes.reduce((sum, size) => sum + size))
    const end = server()
    end.base.write(uplink)
    await turns()
    expect(end.streams.map((stream) => stream.target)).toEqual([target(c), target(c)])
    for (const { conn } of end.streams) {
      const seen = reading(conn)
      await turns()
      sameBytes(fromHex(seen.hex), whole)
      expect(seen.end).toBe('EOF')
    }
    const near = client()
    const conns = [
      await near.pool.dial(target(c), { until: forever }),
      await near.pool.dial(target(c), { until: forever }),
    ]
    const seen = conns.map(reading)
    near.server.write(downlink)
    await turns()
    for (const { hex } of seen) sameBytes(fromHex(hex), whole)
  })

  it.each([
    ['xray', 'udp without mux', true],
    ['xray', 'udp over mux with XUDP', false],
    ['singbox', 'udp xudp', true],
  ] as const)('the datagrams of %s, %s', async (peer, name, alone) => {
    const c = recorded(peer, name)
    const { uplink, downlink } = openedConversation(c)
    const datagrams = c.sizes.map((size, k) => [toHex(pattern(size, k)), target(c)])
    const end = server()
    end.base.write(uplink)
    await turns()
    expect(end.packets).toMatchObject([{ target: target(c) }])
    const asked = receiving(end.packets[0]!.conn)
    expect(asked.got).toEqual(datagrams)
    // What our server answers is what theirs did.
    for (const [hex] of datagrams) end.packets[0]!.conn.send(fromHex(hex as string), target(c))
    await turns()
    const said = end.said()
    expect(toHex(downlink).startsWith(said) && said.length > 3_000).toBe(true)

    const near = client()
    const sourced: boolean[] = []
    const options = { answered: (known: boolean) => sourced.push(known) }
    const [base, far] = memoryPair()
    const conn = alone
      ? xudpOver(base, near.clock, options)
      : await near.pool.packets(forever, { addressed: true, ...options })
    const answered = receiving(conn)
    ;(alone ? far : near.server).write(downlink)
    await turns()
    expect(answered.got).toEqual(datagrams)
    expect(sourced).toEqual([true])
  })

  it('the units of sing-box’s packetaddr', async () => {
    const c = recorded('singbox', 'udp packetaddr')
    const { sent, received } = openedConversation(c)
    const datagrams = c.sizes.map((size, k) => [toHex(pattern(size, k)), target(c)])
    const [base, far] = memoryPackets()
    const conn = new PacketaddrPackets(base)
    const answered = receiving(conn)
    const units = receiving(far)
    for (const [hex] of datagrams) expect(conn.send(fromHex(hex as string), target(c))).toBe(true)
    for (const unit of received) far.send(unit, sequencedTarget)
    await turns()
    expect(units.got).toEqual(sent.map((unit) => [toHex(unit), sequencedTarget]))
    expect(answered.got).toEqual(datagrams)
  })
})
