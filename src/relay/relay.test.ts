import { describe, expect, it } from 'vitest'
import type { Conn } from '../core/conn.ts'
import type { Lifetime } from '../core/lifetime.ts'
import { countInto } from '../core/streams/meter.ts'
import { memoryPair } from '../net/memory/memory.ts'
import { fakeClock } from '../testing/fakes.ts'
import { relay } from './relay.ts'

const limits = { connIdleMs: 300_000, uplinkOnlyMs: 2000, downlinkOnlyMs: 5000 }

function rig() {
  const [client, near] = memoryPair()
  const [far, target] = memoryPair()
  const clock = fakeClock(1_700_000_000_000)
  const totals = { uplink: 0, downlink: 0 }
  return { client, target, near, far, clock, totals, done: relay(near, far, limits, clock, countInto(totals)) }
}

/** Lets every pending promise settle; the memory pairs use no timers. */
const settle = () => new Promise<void>((resolve) => setImmediate(() => setImmediate(resolve)))

async function all(conn: Conn): Promise<Uint8Array> {
  const pieces: Uint8Array[] = []
  await conn.drainTo((lent) => {
    pieces.push(lent.slice())
  })
  return Uint8Array.from(Buffer.concat(pieces))
}

describe('relay', () => {
  it('carries both ways, counts, and ends in order when both sides have ended', async () => {
    const { client, target, near, far, totals, done } = rig()
    await client.write(Uint8Array.of(1, 2, 3))
    await client.closeWrite()
    expect(await all(target)).toEqual(Uint8Array.of(1, 2, 3))
    await target.write(Uint8Array.of(4, 5))
    await target.closeWrite()
    expect(await all(client)).toEqual(Uint8Array.of(4, 5))
    expect(await done).toBeUndefined()
    expect(totals).toEqual({ uplink: 3, downlink: 2 })
    expect(near.gone && far.gone).toBeDefined()
  })

  it('gives a half-closed flow the downlinkOnly limit from its last byte', async () => {
    const { client, target, near, far, clock, done } = rig()
    await client.closeWrite()
    await settle()
    clock.advance(4000)
    await target.write(Uint8Array.of(1)) // slow, but not too slow
    expect(await client.read()).toEqual(Uint8Array.of(1))
    clock.advance(4999)
    await settle()
    expect(target.gone).toBeUndefined()
    clock.advance(2)
    expect((await done)?.code).toBe('IDLE_TIMEOUT')
    expect(near.gone && far.gone).toBeDefined()
  })

  it('gives the uplink its own limit after the target ended', async () => {
    const { target, clock, done } = rig()
    await target.closeWrite()
    await settle()
    clock.advance(2001)
    expect((await done)?.code).toBe('IDLE_TIMEOUT')
  })

  it('ends an idle flow at connIdle and not before', async () => {
    const { client, target, clock, done } = rig()
    clock.advance(299_000)
    await client.write(Uint8Array.of(1))
    expect(await target.read()).toEqual(Uint8Array.of(1))
    clock.advance(299_999)
    await settle()
    expect(client.gone).toBeUndefined()
    clock.advance(1)
    expect((await done)?.code).toBe('IDLE_TIMEOUT')
  })

  it('tears the other side down when one breaks, and says why', async () => {
    const { client, target, done } = rig()
    target.destroy(new Error('gone'))
    const reason = await done
    expect(reason?.fault).toBe('network')
    expect(client.gone).toBeDefined()
  })

  it('does not read on from a side whose other side is slow', async () => {
    const { client, target, done } = rig()
    let written = 0
    let blocked: unknown
    while (!blocked && written < 64 * 1024 * 1024) {
      blocked = client.write(new Uint8Array(64 * 1024))
      written += 64 * 1024
      await settle()
    }
    expect(written).toBeLessThan(16 * 1024 * 1024)
    client.destroy()
    target.destroy()
    await done
    await Promise.resolve(blocked).catch(() => {})
  })

  it('lets a slow reader have the end, and shortens the limit only then', async () => {
    const { client, target, near, clock, done } = rig()
    let release = () => {}
    const flushed = new Promise<void>((resolve) => {
      release = resolve
    })
    const closeWrite = near.closeWrite.bind(near)
    near.closeWrite = () => flushed.then(closeWrite)
    await target.write(new Uint8Array(1000))
    await target.closeWrite()
    await settle()
    clock.advance(60_000) // far longer than uplinkOnly: the last bytes are still on their way
    await settle()
    expect(near.gone).toBeUndefined()
    release()
    await settle()
    expect((await client.read())?.length).toBe(1000)
    clock.advance(2001)
    expect((await done)?.code).toBe('IDLE_TIMEOUT')
  })

  it('does not wait for the target when the client is gone before it begins', async () => {
    const [client, near] = memoryPair()
    const [far, target] = memoryPair()
    await client.closeWrite()
    await settle()
    // What a socket does that has ended in order and was cut since: there is nothing to read, and no error.
    near.drainTo = async () => {}
    near.destroy(new Error('cut'))
    const totals = { uplink: 0, downlink: 0 }
    const reason = await relay(near, far, limits, fakeClock(0), countInto(totals))
    expect(reason?.message).toBe('cut')
    expect(target.gone).toBeDefined()
  })

  it('does not take for idle what waits for the speed limit of its user', async () => {
    const [client, near] = memoryPair()
    const [far] = memoryPair()
    const clock = fakeClock(1_700_000_000_000)
    let held = true
    const pace = {
      pass: () => new Promise<void>(() => {}),
      holds: (to: Lifetime) => held && to === far,
      admit: () => true,
    }
    const paced = { add: () => {}, pace }
    const done = relay(near, far, limits, clock, { uplink: paced, downlink: { add: () => {}, pace: undefined } })
    await client.write(Uint8Array.of(1))
    await settle()
    clock.advance(900_000)
    await settle()
    expect(client.gone).toBeUndefined()
    held = false // it is the peer that takes nothing
    clock.advance(300_000)
    expect((await done)?.code).toBe('IDLE_TIMEOUT')
  })

  it('notices the death of a side that has ended and is not read any more', async () => {
    const { client, target, near, far, done } = rig()
    await client.closeWrite()
    await settle()
    near.destroy(new Error('reset by the client'))
    expect((await done)?.message).toBe('reset by the client')
    expect(far.gone).toBeDefined()
    target.destroy()
  })
})
