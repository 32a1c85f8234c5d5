import { describe, expect, it } from 'vitest'
import { memoryPackets } from '../../net/memory/memory-packets.ts'
import { fakeClock } from '../../testing/fakes.ts'
import { packetSuite } from '../../testing/packet-suite.ts'
import { type Address, formatAddress } from '../address.ts'
import { ProxyError } from '../errors.ts'
import { limits } from '../limits.ts'
import type { PacketConn } from './packet.ts'
import { PacketLinks } from './packet-links.ts'

const at = (port: number, host = '192.0.2.1'): Address => ({ host, port })
const settled = () => new Promise<void>((resolve) => setImmediate(() => setImmediate(resolve)))

interface Way {
  readonly far: PacketConn
  readonly got: string[]
}

function rig() {
  const clock = fakeClock(1_700_000_000_000)
  const opened: string[] = []
  const ways = new Map<string, Way>()
  const outcome = { error: undefined as Error | undefined, wait: Promise.resolve() }
  const open = async (target: Address): Promise<PacketConn> => {
    const name = formatAddress(target)
    opened.push(name)
    await outcome.wait
    if (outcome.error) throw outcome.error
    const [conn, far] = memoryPackets()
    const got: string[] = []
    const over = () => got.push('gone')
    far.drainTo((lent) => void got.push(Buffer.from(lent).toString())).then(over, over)
    ways.set(name, { far, got })
    return conn
  }
  const conn = new PacketLinks({ open, clock })
  const send = async (words: string, ...targets: Address[]) => {
    const sent = targets.map((to) => conn.send(new TextEncoder().encode(words), to))
    await settled()
    return sent
  }
  return { clock, opened, ways, outcome, conn, send, way: (to: Address) => ways.get(formatAddress(to))! }
}

packetSuite(
  'links by command 2, one target',
  async () => {
    const [a, b] = memoryPackets()
    const target = at(53)
    const clock = fakeClock(0)
    const none = () => Promise.reject(new Error('there is one target only'))
    const way = [{ to: target, from: target }]
    const ends = [a, b].map((conn) => new PacketLinks({ open: none, clock }, { target, conn }))
    return { a: ends[0]!, b: ends[1]!, aToB: way, bToA: way, close: async () => {} }
  },
  // A server that ends one connection ends no client socket: the next datagram opens another.
  { closeWrite: false, test: { describe, it } },
)

describe('PacketLinks', () => {
  it('has a connection for each target, and hands out what comes on any of them', async () => {
    const { opened, conn, send, way } = rig()
    const sources: string[] = []
    conn.drainTo((_lent, from) => void sources.push(formatAddress(from))).catch(() => {})
    expect(await send('a', at(1), at(2), at(1))).toEqual([true, true, true])
    expect(await send('b', at(2))).toEqual([true])
    expect(opened).toEqual(['192.0.2.1:1', '192.0.2.1:2'])
    expect(way(at(1)).got).toEqual(['a', 'a'])
    expect(way(at(2)).got).toEqual(['a', 'b'])
    way(at(2)).far.send(Uint8Array.of(1), at(2))
    way(at(1)).far.send(Uint8Array.of(1), at(1))
    await settled()
    expect(sources.sort()).toEqual(['192.0.2.1:1', '192.0.2.1:2'])
    expect(conn.dropped).toBe(0)
  })

  it('keeps the latest few that wait for a connection', async () => {
    const { conn, send, way, outcome } = rig()
    let go = () => {}
    outcome.wait = new Promise((resolve) => {
      go = resolve
    })
    for (let i = 0; i < limits.packetsWaiting + 2; i++) await send(String(i), at(1))
    expect(conn.dropped).toBe(2)
    go()
    await settled()
    expect(way(at(1)).got).toHaveLength(limits.packetsWaiting)
    expect(way(at(1)).got[0]).toBe('2')
  })

  it('is gone with the reason when its only connection cannot be opened, or breaks', async () => {
    const first = rig()
    first.outcome.error = new ProxyError('DIAL_REFUSED', 'no')
    await first.send('a', at(1))
    expect(first.conn.gone).toBe(first.outcome.error)
    expect(first.conn.dropped).toBe(1)
    const second = rig()
    await second.send('a', at(1))
    const drained = second.conn.drainTo(() => {})
    second.way(at(1)).far.destroy()
    await expect(drained).rejects.toMatchObject({ code: 'CONN_RESET' })
  })

  it('lives on when one of several breaks, and tries that one again after a pause', async () => {
    const { clock, conn, send, way, opened } = rig()
    await send('a', at(1), at(2))
    way(at(1)).far.destroy()
    await settled()
    expect(conn.gone).toBeUndefined()
    expect(await send('b', at(1), at(2))).toEqual([false, true])
    clock.advance(limits.packetRetryMs)
    expect(await send('c', at(1))).toEqual([true])
    expect(opened).toHaveLength(3)
    expect(way(at(1)).got).toEqual(['c'])
    expect(conn.dropped).toBe(1)
  })

  it('keeps its pauses, and its quiet targets, when the wall clock is corrected meanwhile', async () => {
    const { clock, send, way } = rig()
    await send('a', at(1), at(2))
    clock.advance(1)
    clock.set(clock.now() - 3_600_000)
    await send('b', at(2))
    way(at(1)).far.destroy()
    await settled()
    clock.set(clock.now() + 7_200_000)
    expect(await send('c', at(1))).toEqual([false])
    clock.advance(limits.packetRetryMs)
    expect(await send('d', at(1))).toEqual([true])
    clock.advance(2 * limits.packetTargetIdleMs)
    await settled()
    expect(way(at(2)).got).toEqual(['a', 'b', 'gone'])
  })

  it('opens again what the server has ended in order', async () => {
    const { conn, send, way, opened } = rig()
    await send('a', at(1))
    way(at(1)).far.closeWrite()
    await settled()
    expect(conn.gone).toBeUndefined()
    await send('b', at(1))
    expect(opened).toHaveLength(2)
    expect(way(at(1)).got).toEqual(['b'])
  })

  it('lets the quietest go when there are too many, and the idle ones after a while, but not the last', async () => {
    const { clock, conn, send, ways, way } = rig()
    for (let port = 1; port <= limits.packetTargets; port++) {
      await send('a', at(port))
      clock.advance(1)
    }
    await send('again', at(1))
    await send('one more', at(9_999))
    expect(ways.size).toBe(limits.packetTargets + 1)
    expect(way(at(2)).got).toEqual(['a', 'gone'])
    expect(way(at(1)).got).toEqual(['a', 'again'])
    clock.advance(3 * limits.packetTargetIdleMs)
    await settled()
    const alive = [...ways.values()].filter(({ got }) => got.at(-1) !== 'gone')
    expect(alive.map(({ got }) => got)).toEqual([['one more']])
    expect(clock.pending).toBe(0)
    expect(conn.gone).toBeUndefined()
  })

  it('ends in order when all its servers have ended after closeWrite()', async () => {
    const { conn, send, way } = rig()
    await send('a', at(1), at(2))
    const drained = conn.drainTo(() => {})
    await conn.closeWrite()
    way(at(1)).far.closeWrite()
    way(at(2)).far.closeWrite()
    expect(await drained).toBeUndefined()
  })

  it('leaves no connection and no timer when it is destroyed, also of those on their way', async () => {
    const { clock, conn, send, ways, outcome } = rig()
    await send('a', at(1), at(2))
    let go = () => {}
    outcome.wait = new Promise((resolve) => {
      go = resolve
    })
    await send('late', at(3))
    conn.destroy()
    go()
    await settled()
    expect([...ways.values()].map(({ got }) => got.at(-1))).toEqual(['gone', 'gone', 'gone'])
    expect(clock.pending).toBe(0)
    expect(conn.dropped).toBe(1)
  })
})
