import { describe, expect, it } from 'vitest'
import { turns } from '../../../test/support/mux-pair.ts'
import { domain, reversePair } from '../../../test/support/reverse-pair.ts'
import { forever } from '../../core/lifetime.ts'
import { limits } from '../../core/limits.ts'

const bytes = (text: string) => new TextEncoder().encode(text)
const text = (read: Uint8Array | null) => (read ? new TextDecoder().decode(read) : null)

async function connected() {
  const pair = reversePair()
  pair.bridge.start()
  await turns(10)
  return pair
}

describe('a bridge with its portal', () => {
  it('takes what the portal is asked for, both ways', async () => {
    const { dial, streams } = await connected()
    const near = await dial('web.internal')
    near.write(bytes('question'))
    await turns()
    const { conn, target } = streams[0]!
    expect(target).toEqual({ host: 'web.internal', port: 80 })
    expect(text(await conn.read())).toBe('question')
    conn.write(bytes('answer'))
    expect(text(await near.read())).toBe('answer')
  })

  it('carries datagrams, each target in a session of its own', async () => {
    const { portal, packets } = await connected()
    const [first, second] = [
      { host: 'a.internal', port: 53 },
      { host: 'b.internal', port: 54 },
    ]
    const near = await portal.packets.open({ until: forever, first })
    near.send(bytes('1'), first)
    near.send(bytes('2'), second)
    await turns(10)
    expect(packets.map(({ target }) => target)).toEqual([first, second])
    const got: string[] = []
    void near.drainTo((lent, from) => void got.push(`${text(lent)} ${from.host}`)).catch(() => {})
    for (const { conn, target } of packets) {
      void conn.drainTo((lent) => void conn.send(lent, target)).catch(() => {})
    }
    await turns(10)
    expect(got).toEqual(['1 a.internal', '2 b.internal'])
  })

  it('is known by its domain in any letter case, and by that alone', async () => {
    const { portal, dial } = reversePair()
    await expect(dial('other.example.com')).rejects.toMatchObject({ code: 'DIAL_FAILED' })
    await dial(domain.toUpperCase())
    expect(portal.carriers).toBe(1)
  })

  it('has one carrier, and keeps it while nothing is carried', async () => {
    const { portal, bridge, way, seconds } = await connected()
    await seconds(400)
    expect([portal.carriers, bridge.carriers, way.dials]).toEqual([1, 1, 1])
  })

  it('has more where streams crowd', async () => {
    const { dial, way, seconds } = await connected()
    for (let i = 0; i <= limits.reverseStreamsPerCarrier; i++) (await dial('web.internal')).write(bytes('x'))
    await seconds(3)
    expect(way.dials).toBe(2)
    await seconds(10)
    expect(way.dials).toBe(2)
  })

  it('opens another carrier when the portal has used one up, which lives on with what it carries', async () => {
    const { dial, streams, portal, way, seconds } = await connected()
    const old = await dial('web.internal')
    old.write(bytes('x'))
    for (let i = 0; i < limits.reverseStreamsBeforeDrain; i++) (await dial('web.internal')).destroy()
    await seconds(5)
    expect(way.dials).toBe(2)
    const fresh = await dial('web.internal')
    fresh.write(bytes('y'))
    old.write(bytes('z'))
    await turns()
    expect(text(await streams.at(-1)!.conn.read())).toBe('y')
    old.destroy()
    await seconds(20)
    expect(portal.carriers).toBe(1)
  })
})

describe('a bridge whose portal cannot be reached', () => {
  it('tries again, less and less often, and soon after it was there', async () => {
    const { bridge, portal, way, seconds } = reversePair()
    way.up = false
    bridge.start()
    await seconds(120)
    const tried = way.dials
    expect(tried).toBeGreaterThan(120_000 / limits.reverseBackOffMaxMs / 1.2)
    expect(tried).toBeLessThan(20)
    way.up = true
    await seconds(limits.reverseBackOffMaxMs / 1_000 + 2)
    expect(portal.carriers).toBe(1)
    way.carriers.at(-1)!.destroy()
    await seconds(3)
    expect(portal.carriers).toBe(1)
  })

  it('opens another carrier beside one that has fallen silent', async () => {
    const { bridge, way, clock } = reversePair()
    bridge.start()
    await turns(10)
    // Nothing passes any more, and nobody notices.
    for (const carrier of way.carriers) carrier.write = () => new Promise(() => {})
    clock.advance(2_000)
    await turns(10)
    clock.advance(limits.reverseSilenceMs + 4_000)
    await turns(10)
    expect(way.dials).toBe(2)
  })
})

describe('the end', () => {
  it('of a bridge lets its streams go on, and takes no new ones', async () => {
    const { bridge, portal, dial, streams, seconds } = await connected()
    const near = await dial('web.internal')
    near.write(bytes('x'))
    await turns()
    void bridge.retire()
    await turns()
    near.write(bytes('y'))
    await turns()
    expect(text(await streams[0]!.conn.read())).toMatch(/^xy?$/)
    const late = await dial('late.internal')
    late.write(bytes('x'))
    await expect(late.read()).rejects.toMatchObject({ code: 'CONN_RESET' })
    expect(streams).toHaveLength(1)
    near.destroy()
    await seconds(1)
    expect([bridge.carriers, portal.carriers]).toEqual([0, 0])
  })

  it('of a portal lets its streams go on, and ends carriers with the last of them', async () => {
    const { bridge, portal, dial, streams, way, seconds } = await connected()
    const near = await dial('web.internal')
    near.write(bytes('x'))
    await turns()
    await portal.close()
    await expect(dial('late.internal')).rejects.toMatchObject({ code: 'SHUTTING_DOWN' })
    streams[0]!.conn.write(bytes('answer'))
    expect(text(await near.read())).toBe('answer')
    way.up = false
    near.destroy()
    streams[0]!.conn.destroy()
    await seconds(1)
    expect(bridge.carriers).toBe(0)
  })

  it('of both leaves no timer', async () => {
    const { bridge, portal, clock, seconds } = await connected()
    void bridge.retire()
    await portal.close()
    await seconds(1)
    expect([bridge.carriers, clock.pending]).toEqual([0, 0])
  })
})

it('a portal has so many carriers and no more', async () => {
  const { dial, portal } = reversePair()
  for (let i = 0; i < limits.reverseCarriers; i++) await dial(domain)
  await expect(dial(domain)).rejects.toMatchObject({ code: 'MUX_TOO_MANY' })
  expect(portal.carriers).toBe(limits.reverseCarriers)
})
