import { describe, expect, it } from 'vitest'
import type { ProxyError } from '../../core/errors.ts'
import { memoryPair } from '../../net/memory/memory.ts'
import { fakeClock } from '../../testing/fakes.ts'
import { DialLimit } from './dial-limit.ts'

function rig(downlinkOnlyMs = 5_000) {
  const clock = fakeClock(1_700_000_000_000)
  const [near, client] = memoryPair()
  const limit = new DialLimit(clock, near, downlinkOnlyMs)
  return { clock, near, client, limit, code: () => (limit.until.gone as ProxyError | undefined)?.code }
}

describe('the limit of a dial', () => {
  it('is 16 s for a client that waits', () => {
    const { clock, code } = rig()
    clock.advance(15_999)
    expect(code()).toBeUndefined()
    clock.advance(1)
    expect(code()).toBe('DIAL_TIMEOUT')
  })

  it('is over at once when the client is gone', () => {
    const { client, code } = rig()
    client.destroy()
    expect(code()).toBe('CONN_RESET')
  })

  it('is 2 s when the client has finished sending, though what it sent is unread', async () => {
    const { clock, client, code } = rig()
    await client.write(Uint8Array.of(1, 2, 3))
    await client.closeWrite()
    clock.advance(1_999)
    expect(code()).toBeUndefined()
    clock.advance(1)
    expect(code()).toBe('DIAL_ABORTED')
  })

  it('is shorter where a flow of such a client would be cut sooner', async () => {
    const { clock, client, code } = rig(500)
    await client.closeWrite()
    clock.advance(500)
    expect(code()).toBe('DIAL_ABORTED')
  })

  it('leaves no timer when the dial is done', async () => {
    const early = rig()
    early.limit.done()
    await early.client.closeWrite()
    const late = rig()
    await late.client.closeWrite()
    late.limit.done()
    expect([early.clock.pending, late.clock.pending]).toEqual([0, 0])
  })
})
