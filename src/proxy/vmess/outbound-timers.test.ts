/** A connection that is gone leaves no timer: neither of the header that waits for a payload, nor of the server's silence. */

import { expect, it } from 'vitest'
import { testServer, testUser } from '../../../test/support/vmess-pair.ts'
import { answers, fakeNetwork, type Place } from '../../../test/support/vmess-servers.ts'
import type { Conn } from '../../core/conn.ts'
import { silentLogger } from '../../core/env.ts'
import { forever } from '../../core/lifetime.ts'
import { limits } from '../../core/limits.ts'
import { countInto } from '../../core/streams/meter.ts'
import { memoryPair } from '../../net/memory/memory.ts'
import { relay } from '../../relay/relay.ts'
import { fakeClock, fakeRandom } from '../../testing/fakes.ts'
import { createVmessOutbound } from './outbound.ts'

const user = { ...testUser(), security: 'aes-128-gcm' } as const
const settle = () => new Promise<void>((resolve) => setImmediate(() => setImmediate(resolve)))

async function dialed(place: Place | 'answers') {
  const clock = fakeClock(1_700_000_000_000)
  const there = place === 'answers' ? answers(testServer([user], clock)) : place
  const outbound = createVmessOutbound(
    'proxy',
    { servers: [{ address: { host: 'a', port: 443 }, users: [user] }] },
    {
      dialer: fakeNetwork({ 'a:443': there }).dialer,
      env: { clock, random: fakeRandom(3), log: silentLogger },
      auto: 'aes-128-gcm',
      legacyHeader: false,
    },
  )
  const conn = await outbound.dial({ host: 'target', port: 80 }, { until: forever }).catch(() => undefined)
  return { clock, conn }
}

/** Carries a client's bytes over it until it ends. */
async function relayed(conn: Conn, clock: ReturnType<typeof fakeClock>, use: (client: Conn) => unknown): Promise<void> {
  const [client, near] = memoryPair()
  const idle = { connIdleMs: 300_000, uplinkOnlyMs: 2000, downlinkOnlyMs: 5000 }
  const done = relay(near, conn, idle, clock, countInto({ uplink: 0, downlink: 0 }))
  await settle()
  await use(client)
  await done
}

it('when nobody could be reached', async () => {
  expect((await dialed('refuses')).clock.pending).toBe(0)
})

it('when it is destroyed before anything was written', async () => {
  const { clock, conn } = await dialed(() => {})
  expect(clock.pending).toBe(3) // the header's, the one that wonders, and the one that ends what is never answered
  conn!.destroy()
  expect(clock.pending).toBe(0)
})

it('when it is destroyed after the header went alone, and after the first payload', async () => {
  for (const send of [() => {}, (conn: Conn) => conn.write(new Uint8Array(1))]) {
    const { clock, conn } = await dialed(() => {})
    await send(conn!)
    clock.advance(limits.firstPayloadWaitMs)
    expect(clock.pending).toBe(2)
    conn!.destroy()
    expect(clock.pending).toBe(0)
  }
})

it('when the server has answered and the connection is destroyed', async () => {
  const { clock, conn } = await dialed('answers')
  await conn!.write(new Uint8Array(1))
  await conn!.read()
  conn!.destroy()
  expect(clock.pending).toBe(0)
})

it('when the server breaks it at once, after a while, and while it is carried', async () => {
  const far: Conn[] = []
  const place = (conn: Conn) => void far.push(conn)
  for (const waitMs of [0, limits.firstPayloadWaitMs]) {
    const { clock, conn } = await dialed(place)
    clock.advance(waitMs)
    await relayed(conn!, clock, () => far.at(-1)!.destroy())
    expect(clock.pending).toBe(0)
  }
  const broken = await dialed((conn) => conn.destroy())
  await relayed(broken.conn!, broken.clock, () => {})
  expect(broken.clock.pending).toBe(0)
})

it('when the client breaks it, or nothing ever comes', async () => {
  const left = await dialed(() => {})
  await relayed(left.conn!, left.clock, (client) => client.destroy())
  expect(left.clock.pending).toBe(0)
  const idle = await dialed(() => {})
  await relayed(idle.conn!, idle.clock, () => idle.clock.advance(300_000))
  expect(idle.clock.pending).toBe(0)
})
