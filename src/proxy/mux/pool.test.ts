import { describe, expect, it } from 'vitest'
import { muxPair, turns } from '../../../test/support/mux-pair.ts'
import type { Conn } from '../../core/conn.ts'
import { silentLogger } from '../../core/env.ts'
import { ProxyError } from '../../core/errors.ts'
import { forever, Life, type Lifetime } from '../../core/lifetime.ts'
import { limits } from '../../core/limits.ts'
import { memoryPair } from '../../net/memory/memory.ts'
import { fakeClock } from '../../testing/fakes.ts'
import { MuxPool } from './pool.ts'
import { serveMux } from './server.ts'

/** A server that sends everything back, and ends when its client does. */
function echoing(concurrency: number) {
  const clock = fakeClock(1_700_000_000_000)
  const env = { clock, log: silentLogger }
  let carriers = 0
  const pool = new MuxPool({
    env,
    concurrency,
    carriers: {
      async dial() {
        carriers++
        const [near, far] = memoryPair()
        serveMux(far, env, {
          stream: (conn) => {
            conn
              .drainTo((lent) => conn.write(lent))
              .then(
                () => conn.closeWrite(),
                () => {},
              )
          },
          packets: (conn) => void conn.drainTo((lent, to) => void conn.send(lent, to)).catch(() => {}),
        })
        return near
      },
    },
  })
  return { pool, clock, opened: () => carriers }
}

const to = { host: 'example.com', port: 80 }

async function exchange(conn: Conn, length: number, value: number): Promise<void> {
  const sent = new Uint8Array(length).fill(value)
  const parts: Uint8Array[] = []
  const received = conn.drainTo((lent) => void parts.push(Uint8Array.from(lent)))
  await conn.write(sent)
  await conn.closeWrite()
  await received
  expect(Buffer.compare(Buffer.concat(parts), sent)).toBe(0)
  conn.destroy()
}

describe('placing', () => {
  it.each([
    [1, 500],
    [8, 63],
    [128, 4],
  ])('500 requests at once, %i on a carrier, are exact and take %i carriers', async (concurrency, carriers) => {
    const { pool, opened } = echoing(concurrency)
    await Promise.all(
      Array.from({ length: 500 }, async (_, i) => exchange(await pool.dial(to, { until: forever }), 1_000 + i * 7, i)),
    )
    expect(opened()).toBe(carriers)
    pool.close()
  })

  it('a place that is free again is taken again, and the first carrier before the second', async () => {
    const { dial, carriers } = muxPair(2)
    const [one] = [await dial(), await dial(), await dial()]
    expect(carriers).toHaveLength(2)
    one.destroy()
    await dial()
    await dial()
    expect(carriers).toHaveLength(2)
    await dial()
    expect(carriers).toHaveLength(3)
  })

  it('a carrier serves so many sub-streams and no more, and closes when the last has ended', async () => {
    const { dial, carriers, pool } = muxPair(8)
    for (let i = 1; i < limits.muxSubstreamsEver; i++) (await dial()).destroy()
    const last = await dial()
    expect(carriers).toHaveLength(1)
    expect(pool.carriers).toBe(1)
    await dial()
    expect(carriers).toHaveLength(2)
    expect(carriers[0]![0].gone).toBeUndefined()
    last.destroy()
    await turns()
    expect(carriers[0]![0].gone).toBeDefined()
    expect(pool.carriers).toBe(1)
  })

  it('a carrier that is gone is replaced', async () => {
    const { dial, carriers } = muxPair()
    await dial()
    carriers[0]![1].destroy()
    await turns()
    await dial()
    expect(carriers).toHaveLength(2)
  })

  it('a target that cannot be carried gives its place back', async () => {
    const { dial, carriers } = muxPair(1)
    await expect(dial('not a host')).rejects.toMatchObject({ code: 'ADDRESS_INVALID' })
    await dial()
    expect(carriers).toHaveLength(1)
  })
})

describe('retiring', () => {
  it('a carrier without a sub-stream is kept for a while, then ended in order', async () => {
    const { clock, carriers, dial, pool } = muxPair()
    const conn = await dial()
    conn.destroy()
    clock.advance(limits.muxClientIdleMs - 1)
    const next = await dial()
    expect(carriers).toHaveLength(1)
    clock.advance(limits.muxClientIdleMs)
    expect(pool.carriers).toBe(1)
    next.destroy()
    clock.advance(limits.muxClientIdleMs)
    await turns()
    expect(pool.carriers).toBe(0)
    expect(carriers[0]!.map(({ gone }) => gone !== undefined)).toEqual([true, true])
    expect(clock.pending).toBe(0)
  })

  it('close() ends everything and refuses what comes', async () => {
    const { pool, dial } = muxPair()
    const reading = (await dial()).read()
    pool.close()
    await expect(reading).rejects.toMatchObject({ code: 'CONN_CLOSED' })
    await expect(dial()).rejects.toMatchObject({ code: 'CONN_CLOSED' })
  })
})

describe('dialling a carrier', () => {
  function pending() {
    const dials: { resolve(conn: Conn): void; reject(why: Error): void; until: Lifetime }[] = []
    const clock = fakeClock(1_700_000_000_000)
    const pool = new MuxPool({
      env: { clock, log: silentLogger },
      concurrency: 8,
      carriers: {
        dial: (target, { until }) => {
          expect(target).toEqual({ host: 'v1.mux.cool', port: 9527 })
          return new Promise((resolve, reject) => dials.push({ resolve, reject, until }))
        },
      },
    })
    return { pool, dials, clock }
  }

  it('that fails fails all that wait for it, and the next is dialled anew', async () => {
    const { pool, dials } = pending()
    const waiting = [pool.dial(to, { until: forever }), pool.dial(to, { until: forever })]
    dials[0]!.reject(new ProxyError('DIAL_REFUSED', 'no'))
    for (const one of waiting) await expect(one).rejects.toMatchObject({ code: 'DIAL_REFUSED' })
    pool.dial(to, { until: forever }).catch(() => {})
    expect(dials).toHaveLength(2)
  })

  it('goes on for the others when one gives up, and is given up with the last', async () => {
    const { pool, dials } = pending()
    const lives = [new Life(), new Life()]
    const [one, other] = lives.map((until) => pool.dial(to, { until }))
    const reason = new ProxyError('DIAL_ABORTED', 'mine')
    lives[0]!.end(reason)
    await expect(one).rejects.toBe(reason)
    expect(dials[0]!.until.gone).toBeUndefined()
    lives[1]!.end(reason)
    await expect(other).rejects.toBe(reason)
    expect(dials[0]!.until.gone).toBeDefined()
    const late = memoryPair()[0]
    dials[0]!.resolve(late)
    await turns()
    expect(late.gone).toBeDefined()
    expect(pool.carriers).toBe(0)
  })

  it('that is aborted before it begins is not begun', async () => {
    const { pool, dials } = pending()
    const until = new Life()
    until.end(new ProxyError('DIAL_ABORTED', 'before'))
    await expect(pool.dial(to, { until })).rejects.toMatchObject({ code: 'DIAL_ABORTED' })
    expect(dials).toHaveLength(0)
  })
})
