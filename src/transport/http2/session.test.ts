import { describe, expect, it } from 'vitest'
import { frame, framesOf, frameTypes, headers, preface, request, reset } from '../../../test/support/http2-frames.ts'
import { carriers, echo, http2Rig } from '../../../test/support/http2-rig.ts'
import { layerRig } from '../../../test/support/layer-pair.ts'
import { unlessBun } from '../../../test/support/runtime.ts'
import type { Conn } from '../../core/conn.ts'
import { forever } from '../../core/lifetime.ts'
import { limits } from '../../core/limits.ts'
import { fakeClock } from '../../testing/fakes.ts'
import { openSession } from './client-session.ts'
import type { ClientSession, ServerRequest } from './model.ts'
import { SessionPool } from './pool.ts'
import { Http2Passage } from './server.ts'

const kind = { layer: 'h', halfClose: 'native' } as const
const post = (session: ClientSession, path = '/') => session.request({ ':method': 'POST', ':path': path }, kind)
const turns = async (count = 5): Promise<void> => {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve))
}
const until = async (holds: () => boolean): Promise<void> => {
  for (let i = 0; i < 2_000 && !holds(); i++) await turns(1)
  expect(holds()).toBe(true)
}

async function total(conn: Conn): Promise<number> {
  let bytes = 0
  await conn.drainTo((lent) => {
    bytes += lent.length
  })
  return bytes
}

/** Pairs of a setting and its value. */
const settingsIn = (bytes: Buffer): [number, number][] =>
  Array.from({ length: (bytes.length - 9) / 6 }, (_, i) => [
    bytes.readUInt16BE(9 + 6 * i),
    bytes.readUInt32BE(11 + 6 * i),
  ])

describe('HTTP/2 sessions', () => {
  unlessBun('no back-pressure in node:http2')(
    'carry seven streams beside one that nobody reads, also past the window of the session',
    async () => {
      const conns: Conn[] = []
      const rig = await http2Rig(
        (request) => {
          request.respond({ ':status': 200 })
          conns.push(request.conn)
        },
        { tcp: true },
      )
      const streams = Array.from({ length: 8 }, () => post(rig.session).conn)
      await until(() => conns.length === 8)
      const piece = new Uint8Array(256 * 1024)
      let unread = 0
      while (unread < 2 * limits.http2StreamWindow) {
        const wait = streams[0]!.write(piece)
        unread += piece.length
        if (wait && (await Promise.race([wait.then(() => false), turns(400).then(() => true)]))) break
      }
      expect(unread).toBeLessThan(2 * limits.http2StreamWindow)
      const bytes = 20 * piece.length
      expect(7 * bytes).toBeGreaterThan(2 * limits.http2SessionWindow)
      const received = conns.slice(1).map(total)
      await Promise.all(
        streams.slice(1).map(async (conn) => {
          for (let sent = 0; sent < bytes; sent += piece.length) await conn.write(piece)
          await conn.closeWrite()
        }),
      )
      expect(await Promise.all(received)).toEqual(Array.from({ length: 7 }, () => bytes))
      await rig.close()
    },
  )

  it('both write more than lies between them, and both go on', async () => {
    const rig = await http2Rig(echo)
    const sent = 2 * 1024 * 1024
    const all = Array.from({ length: 4 }, async () => {
      const { conn } = post(rig.session)
      const back = total(conn)
      await conn.write(new Uint8Array(sent))
      await conn.closeWrite()
      return back
    })
    expect(await Promise.all(all)).toEqual([sent, sent, sent, sent])
    await rig.close()
  })

  it('share a bound on what is unread where there are many streams', async () => {
    const { near, far } = await carriers(false)
    let wire = Buffer.alloc(0)
    far
      .drainTo((lent) => {
        wire = Buffer.concat([wire, lent])
      })
      .catch(() => {})
    const session = openSession(near, fakeClock(0))
    await far.write(frame('settings', 0, 0, new Uint8Array()))
    const lastWindow = (): number | undefined =>
      framesOf(wire.subarray(24))
        .filter(({ type, flags }) => type === frameTypes.settings && flags === 0)
        .flatMap(({ bytes }) => settingsIn(bytes))
        .findLast(([id]) => id === 4)?.[1]
    const conns = Array.from({ length: limits.http2ClientStreams }, () => post(session).conn)
    await until(() => lastWindow() === limits.http2StreamWindow / 2)
    expect(session.usable).toBe(false)
    expect(() => post(session)).toThrow(expect.objectContaining({ code: 'CONN_CLOSED' }))
    for (const conn of conns) conn.destroy()
    await until(() => lastWindow() === limits.http2StreamWindow)
    expect([session.usable, session.open]).toEqual([true, 0])
    session.destroy()
  })

  it('that are retired end with their last stream', async () => {
    const rig = await http2Rig(echo)
    const { conn, answer } = post(rig.session)
    expect(await answer).toMatchObject({ status: 200 })
    rig.session.retire()
    expect([rig.session.usable, rig.session.gone]).toEqual([false, undefined])
    await conn.write(Uint8Array.of(1))
    expect(await conn.read()).toEqual(Uint8Array.of(1))
    conn.destroy()
    await until(() => rig.session.gone !== undefined)
    await rig.close()
  })

  it('take no more after GOAWAY, and let what is open finish', async () => {
    const rig = await http2Rig(echo)
    const { conn } = post(rig.session)
    await conn.write(Uint8Array.of(1))
    expect(await conn.read()).toEqual(Uint8Array.of(1))
    rig.passage.close()
    await until(() => !rig.session.usable)
    await conn.write(Uint8Array.of(2))
    expect(await conn.read()).toEqual(Uint8Array.of(2))
    await conn.closeWrite()
    expect(await conn.read()).toBeNull()
    conn.destroy()
    await until(() => rig.session.gone !== undefined)
    await rig.close()
  })

  it('end with their carrier, with all their streams', async () => {
    const rig = await http2Rig(echo)
    const streams = [post(rig.session), post(rig.session)]
    await streams[0]!.answer
    rig.carrier.destroy(new Error('cut'))
    for (const { conn } of streams) await until(() => conn.gone !== undefined)
    await until(() => rig.session.gone !== undefined && rig.passage.pending === 0)
    await rig.close()
  })

  it('ask a silent peer whether it is there, and end when it is not', async () => {
    const clock = fakeClock(0)
    const { near, far, close } = await carriers(false)
    let wire = Buffer.alloc(0)
    far
      .drainTo((lent) => {
        wire = Buffer.concat([wire, lent])
      })
      .catch(() => {})
    const pings = () => framesOf(wire.subarray(24)).filter(({ type, flags }) => type === frameTypes.ping && flags === 0)
    const keepAlive = { idleMs: 10_000, timeoutMs: 5_000, withoutStreams: true }
    const session = openSession(near, clock, { keepAlive })
    await far.write(frame('settings', 0, 0, new Uint8Array()))
    await turns()
    clock.advance(10_000)
    await until(() => pings().length === 1)
    await far.write(frame('ping', 1, 0, pings()[0]!.bytes.subarray(9)))
    await turns(20)
    clock.advance(5_000)
    expect(session.gone).toBeUndefined()
    clock.advance(5_000)
    await until(() => pings().length === 2)
    clock.advance(5_000)
    await until(() => session.gone !== undefined)
    expect(session.gone?.message).toContain('did not answer a PING for 5 s')
    expect(clock.pending).toBe(0)
    await close()
  })
})

describe('a pool of HTTP/2 sessions', () => {
  const served = (clock = fakeClock(0)) => {
    const { deps } = layerRig()
    const other = { pending: 0, receive: (conn: Conn) => conn.destroy(), close: () => {} }
    const passage = new Http2Passage({ kind, forwarded: false, serve: echo, other }, deps)
    let dials = 0
    const base = {
      dial: async () => {
        dials++
        const { near, far } = await carriers(false)
        passage.receive(far)
        return near
      },
    }
    return { pool: new SessionPool(base, clock), clock, dials: () => dials }
  }
  const to = { host: 'a.example', port: 443 }

  it('shares a dial and a session, opens one more when it is full, and closes what is idle', async () => {
    const { pool, clock, dials } = served()
    const open = async () => post(await pool.session(to, { until: forever })).conn
    const conns = await Promise.all(Array.from({ length: 40 }, open))
    expect(dials()).toBe(1)
    for (let i = 40; i < limits.http2ClientStreams + 1; i++) conns.push(await open())
    expect(dials()).toBe(2)
    for (const conn of conns) conn.destroy()
    await turns(20)
    clock.advance(limits.http2ClientIdleMs)
    await until(() => clock.pending === 0)
    await open()
    expect(dials()).toBe(3)
    pool.close()
  })

  it('goes on dialling for others when one gives up, and gives up with the last', async () => {
    const { Life } = await import('../../core/lifetime.ts')
    const dial = new Life()
    let given: Error | undefined
    const base = {
      dial: (_: unknown, { until: over }: { until: { onGone(run: (why: Error) => void): unknown } }) =>
        new Promise<Conn>((_resolve, reject) => {
          over.onGone((why) => {
            given = why
            reject(why)
          })
          dial.onGone(reject)
        }),
    }
    const pool = new SessionPool(base, fakeClock(0))
    const [first, second] = [new Life(), new Life()]
    const waits = [first, second].map((life) => pool.session(to, { until: life }).catch((error: Error) => error))
    first.end(new Error('one'))
    expect(await waits[0]).toMatchObject({ code: 'DIAL_ABORTED' })
    expect(given).toBeUndefined()
    second.end(new Error('two'))
    expect(await waits[1]).toMatchObject({ code: 'DIAL_ABORTED' })
    expect(given?.message).toBe('two')
  })
})

/** What a server sends to bytes of a client, until it closes or a moment has passed. */
async function answersTo(
  bytes: Uint8Array,
): Promise<{ types: number[]; wire: Buffer; closed: boolean; passage: Http2Passage }> {
  const { deps } = layerRig()
  const { near, far } = await carriers(false)
  const other = { pending: 0, receive: (conn: Conn) => conn.destroy(), close: () => {} }
  const passage = new Http2Passage({ kind, forwarded: false, serve: (asked) => asked.deny('a test'), other }, deps)
  passage.receive(far)
  let wire = Buffer.alloc(0)
  let closed = false
  near
    .drainTo((lent) => {
      wire = Buffer.concat([wire, lent])
    })
    .catch(() => {})
    .finally(() => {
      closed = true
    })
  Promise.resolve(near.write(bytes)).catch(() => {})
  await turns(60)
  near.destroy()
  return { types: framesOf(wire).map(({ type }) => type), wire, closed, passage }
}

describe('a client that floods', () => {
  unlessBun('bounds in node:http2').each([
    [
      'with CONTINUATION',
      Buffer.concat([
        headers(1, request('/x'), 0),
        ...Array.from({ length: 50 }, () => frame('continuation', 0, 1, Buffer.from([0x82]))),
      ]),
    ],
    [
      'with streams that it resets at once',
      Buffer.concat(
        Array.from({ length: 1_500 }, (_, i) => Buffer.concat([headers(2 * i + 1, request('/x')), reset(2 * i + 1)])),
      ),
    ],
    [
      'with streams beyond the bound that it has agreed to',
      Buffer.concat([
        frame('settings', 1, 0, new Uint8Array()),
        ...Array.from({ length: limits.http2Streams + 1 }, (_, i) => headers(2 * i + 1, request('/x'))),
      ]),
    ],
    ['with headers that are too large', headers(1, request('/x', { a: 'y'.repeat(9_000) }), 5)],
  ])('%s is cut off', async (_, bytes) => {
    const { closed } = await answersTo(Buffer.concat([preface, bytes]))
    expect(closed).toBe(true)
  })

  it('with streams before it has heard of the bound has the excess refused, and the rest answered', async () => {
    const count = limits.http2Streams + 50
    const { deps } = layerRig()
    const { near, far } = await carriers(false)
    const other = { pending: 0, receive: (conn: Conn) => conn.destroy(), close: () => {} }
    let taken = 0
    const serve = (asked: ServerRequest): void => {
      taken++
      asked.respond({ ':status': 200 })
    }
    new Http2Passage({ kind, forwarded: false, serve, other }, deps).receive(far)
    let wire = Buffer.alloc(0)
    near
      .drainTo((lent) => {
        wire = Buffer.concat([wire, lent])
      })
      .catch(() => {})
    await near.write(preface)
    await turns(10)
    for (let i = 0; i < count; i++) await near.write(headers(2 * i + 1, request('/x')))
    await until(
      () => framesOf(wire).filter(({ type }) => type === frameTypes.reset).length === count - limits.http2Streams,
    )
    expect(taken).toBe(limits.http2Streams)
    near.destroy()
  })
})

unlessBun('settings are not acknowledged in order')(
  'a stranger is answered as by nginx, request after request',
  async () => {
    const asked = Buffer.concat([
      preface,
      headers(1, request('/x'), 5),
      headers(3, request('/../x'), 5),
      headers(5, { ...request('/x'), ':method': 'get' }, 5),
      headers(7, { ...request('/x'), ':method': 'HEAD' }, 5),
      headers(9, request('/x'), 4),
    ])
    const { types, wire } = await answersTo(asked)
    const count = (type: number): number => types.filter((other) => other === type).length
    expect([frameTypes.headers, frameTypes.data, frameTypes.reset].map(count)).toEqual([5, 4, 1])
    expect(
      wire
        .toString('latin1')
        .match(/<title>[^<]*/g)
        ?.sort(),
    ).toEqual(['<title>400 Bad Request', '<title>400 Bad Request', '<title>404 Not Found', '<title>404 Not Found'])
  },
)
