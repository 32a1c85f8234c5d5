/** What users may use is held to where their bytes pass, and whoever is cut off or turned away finds out why in the log. */

import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import type { Conn } from '../../src/core/conn.ts'
import type { ErrorCode } from '../../src/core/errors.ts'
import { type LimitedServer, limitedServer } from '../support/limited-server.ts'

const email = 'alice@example.com'
let server: LimitedServer
afterEach(() => server.close())

/** Whether a connection still works in both directions. */
async function echoes(conn: Conn): Promise<boolean> {
  try {
    await conn.write(Uint8Array.of(7))
    return (await conn.read()) !== null
  } catch {
    return false
  }
}

/** Resolves when the server has ended the connection. */
const ended = (conn: Conn): Promise<unknown> =>
  new Promise<void>((resolve) => conn.drainTo(() => {}).then(resolve, () => resolve()))

const sessionsEnded = (reason: ErrorCode): number =>
  [...server.instance.endings].find((it) => it.reason === reason)?.count ?? 0

const refusals = (reason: ErrorCode): number =>
  [...server.instance.handshakes].find((it) => it.outcome === 'refused' && it.reason === reason)?.count ?? 0

const warnings = (code: ErrorCode): number =>
  server.log.filter(({ level, fields }) => level === 'warn' && fields.code === code && fields.email === email).length

async function expectRefused(from: string | undefined, code: ErrorCode): Promise<void> {
  const before = refusals(code)
  await expect(server.open(from)).rejects.toThrow()
  expect(refusals(code)).toBe(before + 1)
  expect(warnings(code)).toBeGreaterThan(0)
}

describe('a speed limit', () => {
  it('holds in every second for all connections together, and goes at once when it is lifted', {
    timeout: 60_000,
    retry: 2,
  }, async () => {
    server = await limitedServer({ downlink: '5 MB/s' })
    const received = [0, 0, 0, 0]
    for (const i of received.keys()) {
      const conn = await server.open()
      await conn.write(Buffer.from('d'))
      conn
        .drainTo((lent) => {
          received[i]! += lent.length
        })
        .catch(() => {})
    }
    const marks: { at: number; total: number }[] = []
    for (let second = 0; second <= 3; second++) {
      marks.push({ at: performance.now(), total: received.reduce((a, b) => a + b) })
      await sleep(1000)
    }
    const speeds = marks.slice(2).map(({ at, total }, i) => {
      const before = marks[i + 1]!
      return (total - before.total) / 1000 / (at - before.at)
    })
    expect(speeds).toHaveLength(2)
    for (const speed of speeds) {
      expect(speed, `MB/s: ${speeds}`).toBeGreaterThan(4.5)
      expect(speed, `MB/s: ${speeds}`).toBeLessThan(5.5)
    }
    const least = Math.min(...received)
    expect(least, `shares: ${received}`).toBeGreaterThan(Math.max(...received) * 0.7)

    const before = received.reduce((a, b) => a + b)
    server.change({ downlink: 0 })
    await sleep(1000)
    expect(received.reduce((a, b) => a + b) - before).toBeGreaterThan(20_000_000)
  })

  it('holds for uploads, and a new one at once', { retry: 2 }, async () => {
    server = await limitedServer({ uplink: '100 MB/s' })
    const conn = await server.open()
    const sending = (async () => {
      for (;;) await conn.write(Buffer.alloc(65_536))
    })().catch(() => {})
    conn.drainTo(() => {}).catch(() => {})
    await expect.poll(() => server.target.received).toBeGreaterThan(1_000_000)
    server.change({ uplink: 500_000 })
    await sleep(500)
    const [before, at] = [server.target.received, performance.now()]
    await sleep(2000)
    const speed = (server.target.received - before) / (performance.now() - at)
    expect(speed).toBeGreaterThan(425)
    expect(speed).toBeLessThan(575)
    conn.destroy()
    await sending
  })
})

describe('a quota', () => {
  it('ends all sessions when it is used up, and turns the user away until it is reset', async () => {
    server = await limitedServer({ quota: 5_000_000 })
    const idle = await server.open()
    const busy = await server.open()
    await busy.write(Buffer.from('d'))
    let received = 0
    await busy
      .drainTo((lent) => {
        received += lent.length
      })
      .catch(() => {})
    expect(received).toBeLessThanOrEqual(5_000_000)
    await ended(idle)
    await expect.poll(() => sessionsEnded('USER_QUOTA')).toBe(2)
    expect(warnings('USER_QUOTA')).toBe(1)
    await expectRefused(undefined, 'USER_QUOTA')
    server.account.resetUsage()
    expect(await echoes(await server.open())).toBe(true)
  })
})

describe('an expiry', () => {
  it('ends running sessions when it comes, and turns the user away', async () => {
    server = await limitedServer({})
    const conn = await server.open()
    const expiresAt = Date.now() + 400
    server.change({ expiresAt })
    expect(await echoes(conn)).toBe(true)
    await ended(conn)
    expect(Date.now()).toBeGreaterThanOrEqual(expiresAt)
    await expect.poll(() => sessionsEnded('USER_EXPIRED')).toBe(1)
    expect(warnings('USER_EXPIRED')).toBe(1)
    await expectRefused(undefined, 'USER_EXPIRED')
  })
})

describe('a user who is disabled', () => {
  it('loses running sessions at once, and comes back when enabled', async () => {
    server = await limitedServer({})
    const both = [await server.open(), await server.open()]
    server.change({ enabled: false })
    await Promise.all(both.map(ended))
    await expect.poll(() => sessionsEnded('USER_DISABLED')).toBe(2)
    expect(warnings('USER_DISABLED')).toBe(1)
    await expectRefused(undefined, 'USER_DISABLED')
    server.change({ enabled: true })
    expect(await echoes(await server.open())).toBe(true)
  })
})

describe('a limit of connections', () => {
  it('refuses those above it, leaves the others, and has room again when one ends', async () => {
    server = await limitedServer({ connections: 2 })
    const [one, two] = [await server.open(), await server.open()]
    await expectRefused(undefined, 'USER_CONNECTIONS')
    expect(await echoes(one)).toBe(true)
    two.destroy()
    await expect.poll(() => server.account.members.size).toBe(1)
    expect(await echoes(await server.open())).toBe(true)
  })
})

// A Mac has no second loopback address unless somebody adds it.
describe.skipIf(process.platform === 'darwin')('a limit of addresses', () => {
  it('refuses another one at once without a grace time', async () => {
    server = await limitedServer({ addresses: 1, addressGrace: 0 })
    const one = await server.open('127.0.0.1')
    await expectRefused('127.0.0.2', 'USER_ADDRESSES')
    expect(await echoes(await server.open('127.0.0.1'))).toBe(true)
    expect(await echoes(one)).toBe(true)
  })

  it('follows a device that moves', async () => {
    server = await limitedServer({ addresses: 1, addressGrace: 1 })
    const home = await server.open('127.0.0.1')
    const cafe = await server.open('127.0.0.2')
    expect(await echoes(cafe)).toBe(true)
    await ended(home)
    expect(await echoes(cafe)).toBe(true)
    await expect.poll(() => sessionsEnded('USER_ADDRESSES')).toBe(1)
    expect(warnings('USER_ADDRESSES')).toBe(1)
    expect(await echoes(await server.open('127.0.0.2'))).toBe(true)
  })

  it('ends a second device after the grace time, and lets it in when the first is gone', async () => {
    server = await limitedServer({ addresses: 1, addressGrace: 1 })
    const first = await server.open('127.0.0.1')
    const second = await server.open('127.0.0.2')
    expect(await echoes(second)).toBe(true)
    await sleep(20)
    expect(await echoes(first)).toBe(true)
    await ended(second)
    expect(await echoes(first)).toBe(true)
    await expect.poll(() => sessionsEnded('USER_ADDRESSES')).toBe(1)
    await expectRefused('127.0.0.2', 'USER_ADDRESSES')
    expect(await echoes(first)).toBe(true)
    first.destroy()
    await expect.poll(() => server.account.members.size).toBe(0)
    expect(await echoes(await server.open('127.0.0.2'))).toBe(true)
  })
})
