import { describe, expect, it } from 'vitest'
import { muxPair, turns } from '../../../test/support/mux-pair.ts'
import { isProxyError } from '../../core/errors.ts'
import { limits } from '../../core/limits.ts'
import { connSuite } from '../../testing/conn-suite.ts'

connSuite(
  'mux over memory',
  async () => {
    const { pool, stream } = muxPair()
    const { near, far } = await stream()
    return { a: near, b: far, close: async () => pool.close() }
  },
  { halfClose: true, test: { describe, it } },
)

const bytes = (length: number, value = 1) => new Uint8Array(length).fill(value)
const text = (value: Uint8Array | null) => (value ? new TextDecoder().decode(value) : null)

/** How a promise has ended by now, if it has. */
async function outcome(promise: Promise<unknown>): Promise<unknown> {
  let result: unknown = 'pending'
  promise.then(
    (value) => {
      result = value ?? 'resolved'
    },
    (error) => {
      result = isProxyError(error) ? error.code : error
    },
  )
  await turns()
  return result
}

describe('opening', () => {
  it('takes the first bytes along, or goes alone when none come', async () => {
    const { clock, dial, server } = muxPair()
    const first = await dial()
    await dial('second.example')
    await turns()
    expect(server.streams).toEqual([])
    first.write(bytes(3))
    await turns()
    expect(server.streams.map(({ target }) => target.host)).toEqual(['example.com'])
    clock.advance(limits.firstPayloadWaitMs)
    await turns()
    expect(server.streams.map(({ target }) => target.host)).toEqual(['example.com', 'second.example'])
  })

  it('says nothing of a stream that was destroyed before', async () => {
    const { clock, dial, server, stream } = muxPair()
    const never = await dial()
    never.destroy()
    await stream('other.example')
    clock.advance(1_000)
    await turns()
    expect(server.streams.map(({ target }) => target.host)).toEqual(['other.example'])
  })

  it('names itself', async () => {
    const { near } = await muxPair().stream()
    expect(near.info).toMatchObject({ layers: ['memory', 'mux'], halfClose: 'framed' })
  })
})

describe('the end', () => {
  it('a destroyed stream leaves the others alone', async () => {
    const { stream } = muxPair()
    const [one, other] = [await stream(), await stream()]
    const failure = outcome(one.far.read())
    one.near.destroy()
    expect(await failure).toBe('CONN_RESET')
    other.near.write(bytes(2))
    expect(await other.far.read()).toEqual(bytes(2))
  })

  it('what was received before an abort can be read', async () => {
    const { near, far } = await muxPair().stream()
    near.write(new TextEncoder().encode('last words'))
    near.destroy()
    await turns()
    expect(far.gone).toBeUndefined()
    expect(text(await far.read())).toBe('last words')
    expect(await outcome(far.read())).toBe('CONN_RESET')
    expect(far.gone).toBeDefined()
  })

  it('writing to one who has given up after the orderly end fails, and the stream is gone once it is read out', async () => {
    const { near, far } = await muxPair().stream()
    near.write(bytes(5))
    near.closeWrite()
    near.destroy()
    await turns()
    await expect(far.write(bytes(1))).rejects.toMatchObject({ code: 'CONN_RESET' })
    expect(far.gone).toBeUndefined()
    expect(await far.read()).toEqual(bytes(5))
    expect(await far.read()).toBeNull()
    expect(far.gone).toBeDefined()
    expect(await far.read()).toBeNull()
  })

  it('the carrier’s is that of all its streams', async () => {
    const { carriers, stream } = muxPair()
    const streams = [await stream(), await stream()]
    const reads = streams.flatMap(({ near, far }) => [outcome(near.read()), outcome(far.read())])
    carriers[0]![0].destroy()
    expect(await Promise.all(reads)).toEqual(['CONN_CLOSED', 'CONN_RESET', 'CONN_CLOSED', 'CONN_RESET'])
  })
})

describe('a stream that nobody reads', () => {
  /** Seven streams that are read and one that is not; the server sends. */
  async function eight() {
    const pair = muxPair()
    const streams = await Promise.all(Array.from({ length: 8 }, () => pair.dial()))
    for (const near of streams) near.write(bytes(1))
    await turns()
    const [unread, ...others] = streams.map((near, i) => ({ near, far: pair.server.streams[i]!.conn, got: 0 }))
    for (const other of others) {
      other.near.drainTo((lent) => {
        other.got += lent.length
      })
    }
    return { ...pair, unread: unread!, others }
  }

  it('below its bound holds nobody up', async () => {
    const { clock, others, unread } = await eight()
    for (let sent = 0; sent < limits.muxUnreadPerStream; sent += 16_384) await unread.far.write(bytes(16_384))
    for (const other of others) for (let i = 0; i < 20; i++) await other.far.write(bytes(50_000))
    await turns()
    expect(others.map(({ got }) => got)).toEqual(others.map(() => 1_000_000))
    clock.advance(limits.muxStallMs * 2)
    expect(unread.near.gone).toBeUndefined()
    let got = 0
    while (got < limits.muxUnreadPerStream) got += (await unread.near.read())!.length
    expect(got).toBe(limits.muxUnreadPerStream)
  })

  it('without end it alone is ended after the stated time, and the others go on', async () => {
    const { clock, others, stalls, unread } = await eight()
    let offered = 0
    const offer = async () => {
      while (offered < 100_000_000) {
        offered += 50_000
        await unread.far.write(bytes(50_000))
      }
    }
    const failure = outcome(offer())
    await turns(50)
    // What the carrier itself has under way comes on top of the bound.
    expect(offered).toBeLessThan(limits.muxUnreadPerStream + 4 * 65_536 + 100_000)
    const waiting = Promise.all(others.map(({ far }) => far.write(bytes(50_000))))
    await turns()
    expect(others.map(({ got }) => got)).toEqual(others.map(() => 0))
    clock.advance(limits.muxStallMs - 1)
    await turns()
    expect(unread.near.gone).toBeUndefined()
    clock.advance(1)
    await waiting
    await turns()
    expect(others.map(({ got }) => got)).toEqual(others.map(() => 50_000))
    expect(await outcome(unread.near.read())).toBe('MUX_STALLED')
    expect(stalls).toEqual([{ host: 'example.com', port: 80 }])
    expect(await failure).not.toBe('resolved')
  })

  it('and is read at last goes on', async () => {
    const { clock, others, stalls, unread } = await eight()
    const total = 3 * limits.muxUnreadPerStream
    const sent = (async () => {
      for (let at = 0; at < total; at += 65_536) await unread.far.write(bytes(65_536))
    })()
    await turns(50)
    let got = 0
    while (got < total) {
      clock.advance(limits.muxStallMs - 1)
      got += (await unread.near.read())!.length
    }
    await sent
    expect(got).toBe(total)
    expect(stalls).toEqual([])
    await others[0]!.far.write(bytes(9))
  })

  it('many together are held to the bound of the carrier: the one that holds most is ended', async () => {
    const pair = muxPair(16)
    const streams = await Promise.all(Array.from({ length: 12 }, () => pair.dial()))
    for (const near of streams) near.write(bytes(1))
    await turns()
    const each = Math.floor(limits.muxUnreadPerCarrier / 10)
    for (const [i, { conn }] of pair.server.streams.entries()) {
      for (let sent = 0; sent < each + i; sent += 8_192) conn.write(bytes(8_192))?.catch(() => {})
      await turns()
    }
    expect(pair.stalls).toEqual([])
    pair.clock.advance(limits.muxStallMs)
    await turns()
    expect(pair.stalls).toHaveLength(1)
    expect(streams.filter(({ gone }) => gone)).toHaveLength(1)
    pair.pool.close()
  })
})
