import { describe, expect, it } from 'vitest'
import { muxPair, taker, turns } from '../../../test/support/mux-pair.ts'
import type { Address } from '../../core/address.ts'
import type { PacketConn } from '../../core/datagrams/packet.ts'
import { silentLogger } from '../../core/env.ts'
import { limits } from '../../core/limits.ts'
import { memoryPair } from '../../net/memory/memory.ts'
import { fakeClock } from '../../testing/fakes.ts'
import { packetSuite } from '../../testing/packet-suite.ts'
import { serveMux } from './server.ts'
import { xudpOver } from './xudp.ts'

const a = { host: '192.0.2.1', port: 53 }
const b = { host: '2001:db8::2', port: 3478 }
const name = { host: 'stun.example.org', port: 19_302 }
const bytes = (length: number, value = 1) => new Uint8Array(length).fill(value)

packetSuite(
  'mux over memory',
  async () => {
    const { pool, packets, server } = muxPair()
    const near = await packets(true)
    near.send(bytes(1), a)
    await turns()
    const far = server.packets[0]!.conn
    const first = new Error('the first is only there to open the session')
    const opened = far.drainTo(() => {
      throw first
    })
    await expect(opened).rejects.toBe(first)
    const ways = [a, b, name].map((address) => ({ to: address, from: address }))
    return { a: near, b: far, aToB: ways, bToA: ways, close: async () => pool.close() }
  },
  { closeWrite: true, test: { describe, it } },
)

/** What a conn gets from now on, as `length value address`, and how it ends. */
function noted(conn: PacketConn) {
  const got: [number, number, Address][] = []
  const end = conn
    .drainTo((lent, from) => void got.push([lent.length, lent[0]!, from]))
    .then(
      () => 'ended',
      (error) => error.code,
    )
  return { got, end }
}

describe('with addresses', () => {
  it('one session goes everywhere, and answers say where they come from', async () => {
    const sourced: boolean[] = []
    const globalId = bytes(8, 9)
    const { packets, server } = muxPair()
    const near = await packets(true, { globalId, answered: (known) => sourced.push(known) })
    const answers = noted(near)
    expect([near.send(bytes(10, 1), a), near.send(bytes(20, 2), b), near.send(bytes(30, 3), name)]).toEqual([
      true,
      true,
      true,
    ])
    await turns()
    expect(server.packets).toMatchObject([{ target: a, globalId }])
    const far = server.packets[0]!.conn
    const asked = noted(far)
    expect(asked.got).toEqual([
      [10, 1, a],
      [20, 2, b],
      [30, 3, name],
    ])
    far.send(bytes(5, 7), b)
    far.send(bytes(6, 8), { host: '198.51.100.9', port: 1 })
    await turns()
    expect(answers.got).toEqual([
      [5, 7, b],
      [6, 8, { host: '198.51.100.9', port: 1 }],
    ])
    expect(sourced).toEqual([true])
    expect(near.info).toMatchObject({ encoding: 'xudp', layers: ['memory', 'mux'] })
    near.destroy()
    expect(await asked.end).toBe('CONN_RESET')
    expect(far.gone).toBeDefined()
  })
})

describe('without addresses', () => {
  it('all goes to the first destination and comes from there', async () => {
    const { packets, server } = muxPair()
    const near = await packets(false)
    const answers = noted(near)
    expect(near.send(bytes(10), a)).toBe(true)
    expect(near.send(bytes(10), { ...a })).toBe(true)
    expect(near.send(bytes(10), b)).toBe(false)
    await turns()
    const { conn } = server.packets[0]!
    expect(noted(conn).got.map(([, , to]) => to)).toEqual([a, a])
    conn.send(bytes(3), b)
    await turns()
    expect(answers.got).toEqual([[3, 1, a]])
    expect(near).toMatchObject({ dropped: 1, info: { encoding: 'mux' } })
  })
})

describe('dropping', () => {
  it('what is empty, too large or has an impossible address', async () => {
    const near = await muxPair().packets(true)
    expect(near.send(bytes(0), a)).toBe(false)
    expect(near.send(bytes(limits.muxDatagramMax + 1), a)).toBe(false)
    expect(near.send(bytes(1), { host: 'a b', port: 1 })).toBe(false)
    expect(near.send(bytes(limits.muxDatagramMax), a)).toBe(true)
    expect(near.dropped).toBe(3)
  })

  it('what comes while the carrier has no room, instead of waiting', async () => {
    const pair = muxPair()
    const near = await pair.packets(true)
    let sent = 0
    while (near.send(bytes(2_000), a)) sent++
    expect(sent).toBeLessThan(64)
    await turns()
    expect(near.send(bytes(2_000), a)).toBe(true)
    expect(near.dropped).toBe(1)
  })

  it('what the receiver is too late for, beyond a bound', async () => {
    const { packets, server } = muxPair()
    const near = await packets(true)
    for (let i = 0; i < 80; i++) {
      near.send(bytes(1_000, i), a)
      await turns(2)
    }
    const { conn } = server.packets[0]!
    const { got } = noted(conn)
    expect(got.map(([, value]) => value)).toEqual(Array.from({ length: 65 }, (_, i) => i))
  })

  it('what comes after the end', async () => {
    const near = await muxPair().packets(true)
    near.destroy()
    expect(near.send(bytes(1), a)).toBe(false)
    expect(near.dropped).toBe(1)
  })
})

describe('the end', () => {
  it('of the carrier, and of the receiver’s own making', async () => {
    const { packets, carriers } = muxPair()
    const [one, other, third] = [await packets(true), await packets(true), await packets(true)]
    const ends = [noted(one).end, noted(other).end]
    const mine = new Error('mine')
    one.destroy()
    const thrown = third.drainTo(() => {
      throw mine
    })
    await expect(one.drainTo(() => {})).rejects.toMatchObject({ code: 'CONN_CLOSED' })
    await expect(other.drainTo(() => {})).rejects.toMatchObject({ code: 'PROTOCOL_MISUSE' })
    third.send(bytes(1), a)
    carriers[0]![1].destroy()
    expect(await Promise.all(ends)).toEqual(['CONN_CLOSED', 'CONN_RESET'])
    await expect(thrown).rejects.toMatchObject({ code: 'CONN_RESET' })
    expect(other.gone).toMatchObject({ code: 'CONN_RESET' })
  })

  it('what the sink throws comes out, and the session stays', async () => {
    const { packets, server } = muxPair()
    const near = await packets(true)
    near.send(bytes(1), a)
    await turns()
    const mine = new Error('mine')
    await expect(
      server.packets[0]!.conn.drainTo(() => {
        throw mine
      }),
    ).rejects.toBe(mine)
    near.send(bytes(2), a)
    await turns()
    expect(noted(server.packets[0]!.conn).got).toEqual([[2, 1, a]])
  })
})

describe('XUDP on a connection of its own', () => {
  it('ends the connection with the session, either way', async () => {
    const clock = fakeClock(1_700_000_000_000)
    for (const side of ['client', 'server'] as const) {
      const server = taker()
      const [base, far] = memoryPair()
      const served = serveMux(far, { clock, log: silentLogger }, server.taker)
      const near = xudpOver(base, clock, {})
      near.send(bytes(4), a)
      near.send(bytes(5), b)
      await turns()
      const { conn, target } = server.packets[0]!
      const { got, end } = noted(conn)
      expect(target).toEqual(a)
      expect(got).toEqual([
        [4, 1, a],
        [5, 1, b],
      ])
      if (side === 'client') near.destroy()
      else conn.destroy()
      await served
      expect(await end).toBe(side === 'client' ? 'ended' : 'CONN_CLOSED')
      expect(near.gone).toBeDefined()
      expect(base.gone).toBeDefined()
    }
  })
})
