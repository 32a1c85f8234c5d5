import { describe, expect, it } from 'vitest'
import { decodeFrames } from '../../../test/support/mux.ts'
import { taker, turns } from '../../../test/support/mux-pair.ts'
import { fromHex } from '../../../test/support/vectors.ts'
import { silentLogger } from '../../core/env.ts'
import { limits } from '../../core/limits.ts'
import { memoryPair } from '../../net/memory/memory.ts'
import { fakeClock } from '../../testing/fakes.ts'
import { serveMux } from './server.ts'

const NEW = '000c 0001 01 00 01 0050 01 c0000201'
const text = (value: Uint8Array | null) => (value ? new TextDecoder().decode(value) : null)

/** A server, and a client that speaks in frames. */
function serving() {
  const clock = fakeClock(1_700_000_000_000)
  const server = taker()
  const [client, base] = memoryPair()
  const served = serveMux(base, { clock, log: silentLogger }, server.taker)
  const answers: Uint8Array[] = []
  let ended = false
  client
    .drainTo((lent) => void answers.push(Uint8Array.from(lent)))
    .then(
      () => {
        ended = true
      },
      () => {},
    )
  return {
    ...server,
    clock,
    client,
    base,
    served,
    /** Whether the server has ended the carrier in order. */
    ended: () => ended,
    async send(...frames: string[]) {
      for (const hex of frames) client.write(fromHex(hex.replaceAll(' ', '')))
      await turns()
    },
    /** What the client was told, as `session status error?`. */
    told: () =>
      decodeFrames(answers, undefined, false).map(
        ({ session, status, error }) => `${session} ${status}${error ? ' error' : ''}`,
      ),
  }
}

describe('what makes no sense', () => {
  it.each([
    ['network 3', '000c 0003 01 00 03 0035 01 08080808'],
    ['an impossible address, with data', '000c 0003 01 01 01 0035 04 08080808 0002 ffff'],
    ['no target', '0004 0003 01 00'],
  ])('of a new sub-stream (%s) ends it alone', async (_what, hex) => {
    const { send, told, streams, refusals, base } = serving()
    await send(NEW, hex, '0004 0001 02 01 0002 6869')
    expect(told()).toEqual(['3 end error'])
    expect(text(await streams[0]!.conn.read())).toBe('hi')
    expect(refusals).toMatchObject([{ code: 'MUX_MALFORMED' }])
    expect(base.gone).toBeUndefined()
  })

  it('of a datagram ends its session alone', async () => {
    const { send, told, packets, streams } = serving()
    await send(NEW, '000c 0002 01 00 02 0035 01 08080808', '0006 0002 02 01 02 00 0001 aa', '0004 0001 02 01 0001 68')
    expect(told()).toEqual(['2 end error'])
    expect(packets[0]!.conn.gone).toMatchObject({ code: 'MUX_MALFORMED' })
    expect(text(await streams[0]!.conn.read())).toBe('h')
  })

  it.each([
    ['an unknown status', '0004 0001 05 00', 'MUX_MALFORMED'],
    ['metadata of 3 bytes', '0003 0001 04', 'MUX_MALFORMED'],
  ])('of the carrier (%s) ends all', async (_what, hex, code) => {
    const { send, streams, served, client } = serving()
    await send(NEW, hex)
    await served
    await expect(streams[0]!.conn.read()).rejects.toMatchObject({ code })
    expect(client.gone).toBeDefined()
  })

  it('an end inside a frame ends all', async () => {
    const { send, streams, served, client } = serving()
    await send(NEW, '0004 00')
    client.closeWrite()
    await served
    await expect(streams[0]!.conn.read()).rejects.toMatchObject({ code: 'TRUNCATED' })
  })
})

describe('sessions that nobody knows', () => {
  it('are told so once each when data comes, and else passed over', async () => {
    const { send, told } = serving()
    await send('0004 0009 02 00', '0004 0009 02 01 0000', '0004 0009 03 00', '0004 0000 04 01 0003 7a7a7a')
    expect(told()).toEqual([])
    await send('0004 0009 02 01 0001 aa', '0004 0009 02 01 0001 aa', '0004 0008 02 01 0001 aa')
    expect(told()).toEqual(['9 end', '8 end'])
  })

  it('cannot make the server hold answers without end', async () => {
    const clock = fakeClock(0)
    const [client, base] = memoryPair({ highWater: 2_000 })
    serveMux(base, { clock, log: silentLogger }, taker().taker)
    let sent = 0
    const flood = (async () => {
      for (; sent < 100_000; sent++) await client.write(Uint8Array.of(0, 4, 0, sent & 1, 2, 1, 0, 1, 0))
    })()
    flood.catch(() => {})
    await turns(50)
    expect(sent).toBeLessThan(10_000)
    client.destroy()
  })
})

describe('ends', () => {
  it('of the client: the answer still goes out, and the second End says that nobody listens', async () => {
    const { send, told, streams } = serving()
    await send(NEW, '0004 0001 02 01 0002 6869', '0004 0001 03 00')
    const { conn } = streams[0]!
    expect(text(await conn.read())).toBe('hi')
    expect(await conn.read()).toBeNull()
    await conn.write(Uint8Array.of(1))
    await turns()
    expect(told()).toEqual(['1 keep'])
    await send('0004 0001 03 00')
    await expect(conn.write(Uint8Array.of(1))).rejects.toMatchObject({ code: 'CONN_RESET' })
    expect(conn.gone).toBeDefined()
  })

  it('from both sides, however often: nothing is answered', async () => {
    const { send, told, streams } = serving()
    await send(NEW, '0004 0001 03 00')
    streams[0]!.conn.closeWrite()
    await send('0004 0001 03 00', '0004 0001 03 02', '0004 0001 03 01 0003 000000')
    streams[0]!.conn.destroy()
    await turns()
    expect(told()).toEqual(['1 end'])
  })

  it('with an error reach the reader behind what it has not read', async () => {
    const { send, told, streams } = serving()
    await send(NEW, '0004 0001 02 01 0002 6869', '0004 0001 03 02')
    const { conn } = streams[0]!
    expect(text(await conn.read())).toBe('hi')
    await expect(conn.read()).rejects.toMatchObject({ code: 'CONN_RESET' })
    expect(told()).toEqual([])
  })

  it('with an error behind our own End are the orderly end, as V2Ray and Xray mean them', async () => {
    const { send, streams } = serving()
    await send(NEW)
    const { conn } = streams[0]!
    conn.closeWrite()
    await send('0004 0001 02 01 0002 6869', '0004 0001 03 02')
    expect(text(await conn.read())).toBe('hi')
    expect(await conn.read()).toBeNull()
  })

  it('of the target go out, and what the client sends all the same is taken', async () => {
    const { send, told, streams } = serving()
    await send(NEW)
    const { conn } = streams[0]!
    conn.closeWrite()
    await send('0004 0001 02 01 0004 6c617465')
    expect(text(await conn.read())).toBe('late')
    expect(told()).toEqual(['1 end'])
  })
})

it('a session that is used again is another one, and the old one is lost', async () => {
  const { send, told, streams } = serving()
  await send(NEW, '000c 0001 01 01 01 0051 01 c0000201 0001 78')
  await expect(streams[0]!.conn.read()).rejects.toMatchObject({ code: 'CONN_RESET' })
  expect(text(await streams[1]!.conn.read())).toBe('x')
  streams[0]!.conn.destroy()
  await turns()
  expect(told()).toEqual([])
})

it('frames come in turns of the event loop, so that other carriers have theirs between them', async () => {
  const { send, streams } = serving()
  const hex = (session: number) => NEW.replace('0001', session.toString(16).padStart(4, '0'))
  const counts: number[] = []
  void send(...Array.from({ length: 3 * limits.unitsPerTurn }, (_, i) => hex(i)))
  while (streams.length < 3 * limits.unitsPerTurn) {
    counts.push(streams.length)
    await new Promise(setImmediate)
  }
  expect(counts).toContain(limits.unitsPerTurn)
  expect(counts).toContain(2 * limits.unitsPerTurn)
})

it('so many sub-streams are open at once, and further ones refused', async () => {
  const { send, told, streams, refusals } = serving()
  const hex = (session: number) => NEW.replace('0001', session.toString(16).padStart(4, '0'))
  await send(...Array.from({ length: limits.muxSubstreamsOpen + 1 }, (_, i) => hex(i)))
  await expect.poll(() => refusals.length).toBe(1)
  expect(streams).toHaveLength(limits.muxSubstreamsOpen)
  expect(told()).toEqual([`${limits.muxSubstreamsOpen} end error`])
  expect(refusals).toMatchObject([{ code: 'MUX_TOO_MANY' }])
  streams[0]!.conn.destroy()
  await send(hex(5_000))
  expect(streams).toHaveLength(limits.muxSubstreamsOpen + 1)
})

it('a carrier without a sub-stream is closed after a while', async () => {
  const { clock, send, streams, served, ended } = serving()
  clock.advance(limits.muxServerIdleMs - 1)
  await send(NEW)
  clock.advance(limits.muxServerIdleMs)
  expect(ended()).toBe(false)
  streams[0]!.conn.destroy()
  clock.advance(limits.muxServerIdleMs)
  await served
  await turns()
  expect(ended()).toBe(true)
  expect(clock.pending).toBe(0)
})
