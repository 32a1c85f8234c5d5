/** A worker that ends takes its flows with it and nothing else, and another is in its place within a second. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { alice, bob, echoes, ended, Rig } from './rig.ts'

let rig: Rig
beforeAll(async () => {
  const clients = [
    { ...alice, limits: { connections: 2, addresses: 1, addressGrace: 0 } },
    { ...bob, limits: { quota: '1 GB' } },
  ]
  rig = await Rig.start({ clients, heapMb: 64 })
})
afterAll(() => rig.close())

const counter = async (name: string): Promise<number> =>
  (await rig.control.readCounters([`${name}>>>traffic>>>uplink`]))[0]?.value ?? 0

/** Resolves when the place is filled, with what was said of it. */
async function replaced(worker: number): Promise<string[]> {
  const lines = () => rig.lines.filter(({ message, fields }) => fields.worker === worker && /is replaced/.test(message))
  await expect.poll(lines, { timeout: 10_000, interval: 5 }).toHaveLength(2)
  return rig.lines.splice(0).map(({ message }) => message)
}

describe.each(['throw', 'exhaust'] as const)('a worker that ends by itself (%s)', (what) => {
  it('is replaced; the flows of the other live, and nothing counted is lost', async () => {
    const before = { user: await counter(`user>>>${alice.email}`), inbound: await counter('inbound>>>in') }
    const [lost, kept] = [await rig.open(1, { from: '127.0.0.2' }), await rig.open(2, { from: '127.0.0.2' })]
    const others = [await rig.open(1, { id: bob.id }), await rig.open(2, { id: bob.id })]
    for (const conn of [lost, kept, ...others]) expect(await echoes(conn)).toBe(true)
    await expect(rig.open(2, { from: '127.0.0.2' })).rejects.toThrow()
    const used = (await rig.control.user(bob.email))!.used
    rig.fault(1, what)
    await Promise.all([ended(lost), ended(others[0]!)])
    const [why] = await replaced(1)
    expect(why).toMatch(what === 'throw' ? /a fault that a test wanted/ : /memory/)

    for (const conn of [kept, others[1]!]) expect(await echoes(conn)).toBe(true)
    const view = (await rig.control.user(alice.email))!
    expect(view).toMatchObject({ connections: 1, addresses: ['127.0.0.2'] })
    expect((await rig.control.user(bob.email))!.used).toEqual({ uplink: used.uplink + 1, downlink: used.downlink + 1 })
    // Its connection and its address are given back, and the one in its place serves.
    kept.destroy()
    await expect.poll(async () => (await rig.control.user(alice.email))!.connections).toBe(0)
    const again = await rig.open(1, { from: '127.0.0.3' })
    expect(await echoes(again)).toBe(true)
    again.destroy()
    others[1]!.destroy()
    await expect.poll(async () => (await rig.control.status()).sessions).toBe(0)
    expect((await counter(`user>>>${alice.email}`)) - before.user).toBe(4)
    expect((await counter('inbound>>>in')) - before.inbound).toBe(7)
  })
})
