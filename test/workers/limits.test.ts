/** What holds in one thread holds over several: a user's limits, and that nothing comes twice. */
import { connect } from 'node:net'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { vmessClientBytes } from '../e2e/vmess-client-bytes.ts'
import { alice, echoes, ended, Rig } from './rig.ts'

const rate = 400_000
const quota = 200_000
const limited = {
  connections: { connections: 2 },
  addresses: { addresses: 1, addressGrace: 0 },
  quota: { quota },
  speed: { downlink: rate },
  expiry: {},
}
type Limit = keyof typeof limited
const ids = Object.fromEntries(
  Object.keys(limited).map((name, i) => [name, `27848739-7e62-4138-9fd3-098a6396400${i}`]),
) as Record<Limit, string>
const emailOf = (limit: Limit) => `${limit}@example.com`

let rig: Rig
/** Connections of the target before the test. */
let before = 0
const dialled = () => rig.target.accepted - before

beforeAll(async () => {
  const clients = (Object.keys(limited) as Limit[]).map((name) => ({
    id: ids[name],
    email: emailOf(name),
    limits: limited[name],
  }))
  rig = await Rig.start({ clients: [alice, ...clients] })
})
beforeEach(() => {
  before = rig.target.accepted
})
afterAll(() => rig.close())

const open = (worker: number, limit: Limit, from?: string) =>
  rig.open(worker, { id: ids[limit], ...(from !== undefined && { from }) })

const refusals = async (reason: string): Promise<number> =>
  (await rig.control.handshakes()).filter((it) => it.reason === reason).reduce((sum, { count }) => sum + count, 0)

/** Sends what was recorded; resolves with what comes back until the server says no more, or the first bytes. */
const play = (bytes: Buffer): Promise<number> =>
  new Promise((resolve) => {
    const socket = connect(rig.address.port, '127.0.0.1', () => socket.write(bytes))
    const end = (count: number) => {
      socket.destroy()
      resolve(count)
    }
    socket
      .on('data', ({ length }) => end(length))
      .on('close', () => end(0))
      .on('error', () => end(0))
  })

describe('a replay', () => {
  it('that comes to the other worker is refused', async () => {
    const first = vmessClientBytes(rig.target.address, Buffer.from('x'), { id: alice.id })
    expect(await rig.alone(1, () => play(first))).toBeGreaterThan(0)
    expect(await rig.alone(2, () => play(first))).toBe(0)
    const second = vmessClientBytes(rig.target.address, Buffer.from('x'), { id: alice.id })
    expect(await rig.alone(2, () => play(second))).toBeGreaterThan(0)
    expect(await rig.alone(1, () => play(second))).toBe(0)
    expect(dialled()).toBe(2)
    expect(await refusals('VMESS_REPLAY')).toBe(2)
  })

  it('of which many come at once, to whichever worker, is served once', async () => {
    for (let round = 1; round <= 2; round++) {
      const bytes = vmessClientBytes(rig.target.address, Buffer.from('x'), { id: alice.id })
      const served = await Promise.all(Array.from({ length: 24 }, () => play(bytes)))
      expect(served.filter((count) => count > 0)).toHaveLength(1)
      expect(dialled()).toBe(round)
    }
  })
})

describe('a limit of a user', () => {
  it('on connections counts those of all workers, and is asked before anything is dialled', async () => {
    const first = await open(1, 'connections')
    const second = await open(2, 'connections')
    for (const worker of [1, 2]) await expect(open(worker, 'connections')).rejects.toThrow()
    expect(dialled()).toBe(2)
    expect(await refusals('USER_CONNECTIONS')).toBe(2)
    first.destroy()
    await expect.poll(async () => (await rig.control.user(emailOf('connections')))?.connections).toBe(1)
    expect(await echoes(await open(2, 'connections'))).toBe(true)
    expect(await echoes(second)).toBe(true)
  })

  it('on addresses counts those of all workers', async () => {
    const first = await open(1, 'addresses', '127.0.0.2')
    await expect(open(2, 'addresses', '127.0.0.3')).rejects.toThrow()
    expect(await echoes(await open(2, 'addresses', '127.0.0.2'))).toBe(true)
    expect(dialled()).toBe(2)
    expect(await echoes(first)).toBe(true)
    const view = await rig.control.user(emailOf('addresses'))
    expect(view).toMatchObject({ connections: 2, addresses: ['127.0.0.2'] })
  })

  it('on traffic is used up by all workers together, and ends the connections of all', async () => {
    const conns = [await open(1, 'quota'), await open(2, 'quota')]
    const piece = new Uint8Array(10_000)
    const received = rig.target.received
    const ends = Promise.all(conns.map(ended))
    // Back and forth each piece counts twice: neither worker alone sees the quota used up.
    for (let i = 0; i < 6; i++) for (const conn of conns) await Promise.resolve(conn.write(piece)).catch(() => {})
    await ends
    const { used } = (await rig.control.user(emailOf('quota')))!
    expect(used.uplink + used.downlink).toBeGreaterThan(quota)
    expect(rig.target.received - received).toBeLessThanOrEqual(quota)
    for (const worker of [1, 2]) await expect(open(worker, 'quota')).rejects.toThrow()
    expect(dialled()).toBe(2)
    await rig.control.resetUsage(emailOf('quota'))
    for (const worker of [1, 2]) expect(await echoes(await open(worker, 'quota'))).toBe(true)
  })

  it('on speed is one bucket for all workers', async () => {
    const conns = [await open(1, 'speed'), await open(2, 'speed')]
    const received = [0, 0]
    const from = performance.now()
    const enough = new Promise<void>((resolve) => {
      conns.forEach((conn, i) => {
        const drain = conn.drainTo((lent) => {
          received[i]! += lent.length
          if (Math.min(...received) > rate / 2) resolve()
        })
        drain.catch(() => {})
      })
    })
    await Promise.all(conns.map((conn) => conn.write(Buffer.from('d'))))
    await enough
    const seconds = (performance.now() - from) / 1000
    const burst = 0.3 * rate
    expect(received[0]! + received[1]!).toBeLessThan(burst + rate * seconds)
    // Of one rate each has its half.
    expect(Math.min(...received) / Math.max(...received)).toBeGreaterThan(0.6)
  })

  it('on time ends the connections of all workers', async () => {
    const conns = [await open(1, 'expiry'), await open(2, 'expiry')]
    await rig.control.changeUser(emailOf('expiry'), { limits: { expires: '2020-01-01' } })
    await Promise.all(conns.map(ended))
    for (const worker of [1, 2]) await expect(open(worker, 'expiry')).rejects.toThrow()
    expect(dialled()).toBe(2)
  })
})
