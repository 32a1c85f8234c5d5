import { describe, expect, it } from 'vitest'
import { settled } from '../../../test/support/inbound-io.ts'
import { type Env, silentLogger } from '../../core/env.ts'
import { forever, lifetimeOf } from '../../core/lifetime.ts'
import { fakeClock, fakeRandom } from '../../testing/fakes.ts'
import { createBlackhole } from './outbound.ts'

const target = { host: 'example.com', port: 80 }

function setUp(response: 'none' | 'http') {
  const clock = fakeClock(0)
  const env: Env = { clock, random: fakeRandom(1), log: silentLogger }
  const until = forever
  const outbound = createBlackhole('block', { response }, env)
  return { clock, outbound, dial: () => outbound.dial(target, { until }) }
}

describe('blackhole', () => {
  it('refuses every dial', async () => {
    const { dial, outbound } = setUp('none')
    await expect(dial()).rejects.toMatchObject({ code: 'OUTBOUND_BLOCKED', message: expect.stringContaining('block') })
    expect(outbound.tag).toBe('block')
  })

  it.each(['none', 'http'] as const)('opens nothing for datagrams, response %s', async (response) => {
    const { packets } = setUp(response).outbound
    await expect(packets!.open({ until: forever })).rejects.toMatchObject({ code: 'OUTBOUND_BLOCKED' })
  })

  it('rejects with the reason of a dial that was cancelled', async () => {
    const reason = new Error('cancelled')
    await expect(setUp('http').outbound.dial(target, { until: lifetimeOf(AbortSignal.abort(reason)) })).rejects.toBe(
      reason,
    )
  })

  it('answers 403 and ends a second later, whatever is sent', async () => {
    const { dial, clock } = setUp('http')
    const conn = await dial()
    let received = ''
    let ended = false
    const draining = conn.drainTo((lent) => {
      received += Buffer.from(lent).toString()
    })
    void draining.then(() => {
      ended = true
    })
    let released = 0
    expect(conn.write(new Uint8Array(100_000), () => released++)).toBeUndefined()
    expect(released).toBe(1)
    await settled()
    expect(received).toBe(
      'HTTP/1.1 403 Forbidden\nConnection: close\nCache-Control: max-age=3600, public\nContent-Length: 0\n\n\n',
    )
    clock.advance(999)
    await settled()
    expect(ended).toBe(false)
    clock.advance(1)
    await draining
  })

  it('keeps the promises of a connection when it is destroyed', async () => {
    const { dial, clock } = setUp('http')
    const conn = await dial()
    await conn.read()
    const reading = conn.read()
    const reason = new Error('why')
    conn.destroy(reason)
    conn.destroy()
    await expect(reading).rejects.toBe(reason)
    await expect(conn.read()).rejects.toBe(reason)
    await expect(conn.write(new Uint8Array(1))).rejects.toBe(reason)
    expect(conn.gone).toBeDefined()
    expect(clock.pending).toBe(0)
  })
})
