/** `bufferSize` of a policy level is a bound on what a connection holds when its reader stands still. */

import { afterEach, describe, expect, it } from 'vitest'
import { Accounts } from '../../src/account/accounts.ts'
import { createDispatch } from '../../src/app/flow/dispatch.ts'
import { countingIds, Flows } from '../../src/app/flow/flows.ts'
import { LoopGuard } from '../../src/app/flow/loop-guard.ts'
import { Observers } from '../../src/app/flow/observers.ts'
import { readSize } from '../../src/app/flow/policy.ts'
import type { Conn } from '../../src/core/conn.ts'
import { silentLogger } from '../../src/core/env.ts'
import { limits } from '../../src/core/limits.ts'
import { memoryPair } from '../../src/net/memory/memory.ts'
import { StreamConn } from '../../src/net/streams/stream-conn.ts'
import { defaultPolicy, defaultSystemPolicy } from '../../src/settings/model.ts'
import { Counters } from '../../src/stats/counters.ts'
import { fakeClock, fakeRandom } from '../../src/testing/fakes.ts'
import { type LimitedServer, limitedServer } from '../support/limited-server.ts'
import { unlessBun } from '../support/runtime.ts'

const KiB = 1024
/** A chunk that one read has cut off comes out with the next one, on top of what that brings. */
const chunk = limits.sharedReadBuffer / 16
const settle = () => new Promise<void>((resolve) => setImmediate(() => setImmediate(resolve)))

/**
 * Bytes that a flow takes from its source when nobody reads at the other end. Its user is of level 3, which has this
 * buffer; level 0 has another.
 */
async function takenByStalledFlow(bufferSize: number, from: 'client' | 'target', other = bufferSize): Promise<number> {
  const [client, near] = memoryPair()
  const [far, target] = memoryPair()
  const levels = new Map([other, bufferSize].map((size, i) => [3 * i, { ...defaultPolicy, bufferSize: size }]))
  const policy = { levels, system: defaultSystemPolicy }
  const clock = fakeClock(1_700_000_000_000)
  const flows = new Flows({ clock, accounts: new Accounts(clock), nextId: countingIds() })
  const io = createDispatch(
    { tag: 'in', at: 'inbounds[0]' },
    {
      env: { clock, random: fakeRandom(1), log: silentLogger },
      policy: () => policy,
      route: () => ({ tag: 'out', dial: async () => far, close: async () => {} }),
      flows,
      counters: new Counters(),
      observer: new Observers([], silentLogger),
      loops: new LoopGuard(),
      handshakes: new Set<Conn>(),
    },
  )
  const user = { email: '', level: 3 }
  const done = io.carry(near, { network: 'tcp', target: { host: 'example.com', port: 80 }, user })
  await settle()
  const [flow] = flows
  const source = from === 'client' ? client : target
  for (let i = 0; i < 200; i++) {
    source.write(new Uint8Array(readSize(policy)))?.catch(() => {})
    await settle()
  }
  const { uplink, downlink } = flow!.totals
  client.destroy()
  target.destroy()
  await done
  return uplink + downlink
}

describe('a stalled flow', () => {
  it.each(['client', 'target'] as const)('takes no more from the %s than its level may hold', async (from) => {
    for (const bufferSize of [64 * KiB, 100 * KiB, 512 * KiB]) {
      const taken = await takenByStalledFlow(bufferSize, from)
      expect(taken).toBeLessThanOrEqual(bufferSize)
      expect(taken).toBeGreaterThan(bufferSize / 2)
    }
    expect(await takenByStalledFlow(0, from)).toBe(16_368)
    expect(await takenByStalledFlow(Number.POSITIVE_INFINITY, from)).toBeGreaterThan(20 * 1024 * KiB)
  })
})

it('the level is that of the user, and not another one', async () => {
  const taken = await takenByStalledFlow(256 * KiB, 'client', 64 * KiB)
  expect(taken).toBeGreaterThan(128 * KiB)
  expect(taken).toBeLessThanOrEqual(256 * KiB)
})

describe('stalled connections over sockets', () => {
  let server: LimitedServer
  afterEach(() => server.close())

  /** The most that the server holds for each of a few connections whose target does not read. */
  async function heldPerConnection(bufferKiB: number): Promise<number[]> {
    server = await limitedServer({}, { levels: { 0: { bufferSize: bufferKiB } } })
    server.target.paused = true
    const clients = await Promise.all(Array.from({ length: 4 }, () => server.open()))
    const block = new Uint8Array(64 * KiB)
    const stalled = clients.map(async (client) => {
      for (;;) {
        const wait = client.write(block)
        const late = new Promise<'late'>((resolve) => setTimeout(resolve, 1000, 'late'))
        if (wait && (await Promise.race([wait.catch(() => {}), late])) === 'late') return
      }
    })
    const most = new Map<number, number>()
    const look = setInterval(() => {
      for (const { session, far } of server.instance.flows) {
        const held = far instanceof StreamConn ? far.stream.writableLength : 0
        most.set(session.id, Math.max(most.get(session.id) ?? 0, held))
      }
    }, 1)
    await Promise.all(stalled)
    clearInterval(look)
    return [...most.values()]
  }

  unlessBun('no user buffer for reads')('hold what their level may hold', { timeout: 60_000 }, async () => {
    const held = await heldPerConnection(16)
    expect(held).toHaveLength(4)
    for (const bytes of held) {
      expect(bytes).toBeGreaterThan(0)
      expect(bytes).toBeLessThanOrEqual(16 * KiB + chunk)
    }
  })

  it('hold more by default, and no more than that', { timeout: 60_000 }, async () => {
    const held = await heldPerConnection(512)
    expect(held).toHaveLength(4)
    for (const bytes of held) {
      expect(bytes).toBeGreaterThan(64 * KiB)
      expect(bytes).toBeLessThanOrEqual(512 * KiB + chunk)
    }
  })
})
