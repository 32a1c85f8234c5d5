import { describe, expect, it } from 'vitest'
import { type Address, formatAddress } from '../core/address.ts'
import type { PacketConn } from '../core/datagrams/packet.ts'
import { PacketLayer } from '../core/datagrams/packet-layer.ts'
import { countInto, type Meters } from '../core/streams/meter.ts'
import { type MemoryPacketsOptions, memoryPackets } from '../net/memory/memory-packets.ts'
import { fakeClock } from '../testing/fakes.ts'
import { relayPackets } from './relay-packets.ts'

const limits = { connIdleMs: 300_000, uplinkOnlyMs: 2000, downlinkOnlyMs: 5000 }
const target: Address = { host: 'example.com', port: 53 }
const other: Address = { host: '192.0.2.1', port: 5353 }

function rig(options: { meters?: Partial<Meters>; far?: MemoryPacketsOptions } = {}) {
  const [client, near] = memoryPackets()
  const [far, world] = memoryPackets(options.far)
  const clock = fakeClock(1_700_000_000_000)
  const totals = { uplink: 0, downlink: 0 }
  const drops = { uplink: 0, downlink: 0 }
  const done = relayPackets(near, far, limits, clock, { ...countInto(totals), ...options.meters }, drops)
  return { client, near, far, world, clock, totals, drops, done }
}

/** Finds out late what it has dropped. */
class Late extends PacketLayer {
  over = false
  readonly #more: { readonly dropped?: number; readonly missed?: number }

  constructor(base: PacketConn, more: { readonly dropped?: number; readonly missed?: number }) {
    super(base)
    this.#more = more
  }

  override get dropped(): number {
    return super.dropped + (this.over ? (this.#more.dropped ?? 0) : 0)
  }

  override get missed(): number {
    return this.#more.missed ?? 0
  }
}

const settle = () => new Promise<void>((resolve) => setImmediate(() => setImmediate(resolve)))

function inbox(conn: PacketConn): string[] {
  const got: string[] = []
  conn.drainTo((lent, address) => void got.push(`${lent.length} ${formatAddress(address)}`)).catch(() => {})
  return got
}

describe('relayPackets', () => {
  it('hands on every datagram with its address, counts to the byte, and ends in order', async () => {
    const { client, world, near, far, totals, drops, done } = rig()
    const [there, here] = [inbox(world), inbox(client)]
    client.send(new Uint8Array(40), target)
    client.send(new Uint8Array(1200), other)
    await settle()
    world.send(new Uint8Array(512), other)
    await settle()
    expect(there).toEqual(['40 example.com:53', '1200 192.0.2.1:5353'])
    expect(here).toEqual(['512 192.0.2.1:5353'])
    client.closeWrite()
    await settle()
    world.closeWrite()
    expect(await done).toBeUndefined()
    expect(totals).toEqual({ uplink: 1240, downlink: 512 })
    expect(drops).toEqual({ uplink: 0, downlink: 0 })
    expect(near.gone && far.gone).toBeDefined()
  })

  it('ends an idle flow at connIdle and not before, by what passes in either direction', async () => {
    const { client, world, clock, done } = rig()
    for (const side of [client, world]) {
      clock.advance(299_000)
      side.send(new Uint8Array(1), target)
      await settle()
    }
    clock.advance(299_999)
    await settle()
    expect(client.gone).toBeUndefined()
    clock.advance(1)
    expect((await done)?.code).toBe('IDLE_TIMEOUT')
    expect(client.gone && world.gone).toBeDefined()
    expect(clock.pending).toBe(0)
  })

  it('gives answers the downlinkOnly limit when the client has ended, and the uplink its own', async () => {
    const first = rig()
    first.client.closeWrite()
    await settle()
    first.clock.advance(4999)
    const here = inbox(first.client)
    first.world.send(new Uint8Array(7), target)
    await settle()
    expect(here).toEqual(['7 example.com:53'])
    first.clock.advance(5000)
    expect((await first.done)?.code).toBe('IDLE_TIMEOUT')
    const second = rig()
    second.world.closeWrite()
    await settle()
    second.clock.advance(2000)
    expect((await second.done)?.code).toBe('IDLE_TIMEOUT')
    expect(first.clock.pending + second.clock.pending).toBe(0)
  })

  it('counts what the other side does not take, and not as carried', async () => {
    const { client, totals, drops, done, near } = rig({ far: { info: [{ largest: 100 }, {}], room: 2 } })
    for (const size of [100, 101, 50, 60]) client.send(new Uint8Array(size), target)
    await settle()
    expect(totals.uplink).toBe(150)
    expect(drops).toEqual({ uplink: 2, downlink: 0 })
    near.destroy()
    expect((await done)?.code).toBe('CONN_CLOSED')
  })

  it('adds at the end what a side dropped after it took it, or before it was read', async () => {
    const clock = fakeClock(1_700_000_000_000)
    const [[client, near], [far]] = [memoryPackets(), memoryPackets({ room: 1 })]
    const drops = { uplink: 0, downlink: 0 }
    const ends = [new Late(near, { missed: 3 }), new Late(far, { dropped: 4, missed: 5 })] as const
    const done = relayPackets(...ends, limits, clock, countInto({ uplink: 0, downlink: 0 }), drops)
    for (let i = 0; i < 3; i++) client.send(new Uint8Array(9), target)
    await settle()
    expect(drops).toEqual({ uplink: 2, downlink: 0 })
    ends[0].over = ends[1].over = true
    client.destroy()
    await done
    expect(drops).toEqual({ uplink: 2 + 4 + 3, downlink: 5 })
  })

  it('drops and counts what the limit of the user does not let pass', async () => {
    let open = true
    const asked: number[] = []
    const carried: number[] = []
    const pace = {
      pass: () => {},
      holds: () => false,
      admit: (bytes: number) => {
        asked.push(bytes)
        return open
      },
    }
    const meters = { downlink: { add: (bytes: number) => void carried.push(bytes), pace } }
    const { client, world, drops, done } = rig({ meters })
    const here = inbox(client)
    world.send(new Uint8Array(10), target)
    await settle()
    open = false
    world.send(new Uint8Array(20), target)
    await settle()
    expect(here).toEqual(['10 example.com:53'])
    expect(asked).toEqual([10, 20])
    expect(carried).toEqual([10])
    expect(drops).toEqual({ uplink: 0, downlink: 1 })
    client.destroy()
    await done
  })

  it('tears the other side down when one breaks, and says why, also when it was gone before', async () => {
    const { client, world, clock, done } = rig()
    world.destroy()
    expect((await done)?.code).toBe('CONN_RESET')
    expect(client.gone).toBeDefined()
    expect(clock.pending).toBe(0)
    const [, near] = memoryPackets()
    const [far, target] = memoryPackets()
    near.destroy()
    const totals = { uplink: 0, downlink: 0 }
    const reason = await relayPackets(near, far, limits, clock, countInto(totals), { ...totals })
    expect(reason?.code).toBe('CONN_CLOSED')
    expect(target.gone).toBeDefined()
    expect(clock.pending).toBe(0)
  })

  it('notices the death of a side that has ended and is not drained any more', async () => {
    const { client, near, far, done } = rig()
    client.closeWrite()
    await settle()
    near.destroy()
    expect((await done)?.code).toBe('CONN_CLOSED')
    expect(far.gone).toBeDefined()
  })

  it('arms no timer after its end, even if a side takes long to say that it ends', async () => {
    const { client, far, clock, done } = rig()
    let flushed = () => {}
    far.closeWrite = () =>
      new Promise((resolve) => {
        flushed = resolve
      })
    client.closeWrite()
    await settle()
    far.destroy()
    await done
    flushed()
    await settle()
    expect(clock.pending).toBe(0)
  })
})
