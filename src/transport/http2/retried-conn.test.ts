import { describe, expect, it } from 'vitest'
import { frame, framesOf, frameTypes, prefaceLength } from '../../../test/support/http2-frames.ts'
import { carriers, echo } from '../../../test/support/http2-rig.ts'
import { layerRig } from '../../../test/support/layer-pair.ts'
import type { Conn } from '../../core/conn.ts'
import { forever } from '../../core/lifetime.ts'
import { limits } from '../../core/limits.ts'
import { deferred } from '../../core/time/deferred.ts'
import { connSuite } from '../../testing/conn-suite.ts'
import { fakeClock } from '../../testing/fakes.ts'
import type { ServerRequest } from './model.ts'
import { SessionPool } from './pool.ts'
import { Http2Passage } from './server.ts'

const kind = { layer: 'h', halfClose: 'native' } as const
const to = { host: 'a.example', port: 443 }
const asked = { headers: { ':method': 'POST', ':path': '/' }, kind }
const empty = new Uint8Array()

/** What a server does with a connection. */
type Server = (far: Conn) => void

/** Answers the first request with frames, once `bytes` of its body are there. */
const answering =
  (bytes: number, ...frames: Buffer[]): Server =>
  (far) => {
    let wire = Buffer.alloc(0)
    let answered = false
    far.write(frame('settings', 0, 0, empty))
    far
      .drainTo((lent) => {
        wire = Buffer.concat([wire, lent])
        const data = framesOf(wire.subarray(prefaceLength)).filter(({ type }) => type === frameTypes.data)
        const length = data.reduce((sum, { bytes }) => sum + bytes.length - 9, 0)
        if (answered || length < bytes) return
        answered = true
        far.write(Buffer.concat(frames))
      })
      .catch(() => {})
  }

function serving(serve: (request: ServerRequest) => void): Server {
  const other = { pending: 0, receive: (conn: Conn) => conn.destroy(), close: () => {} }
  const passage = new Http2Passage({ kind, forwarded: false, serve, other }, layerRig().deps)
  return (far) => passage.receive(far)
}

const echoing = serving(echo)

/** Connections meet these servers in turn, and the last one from then on. */
function poolOver(...servers: Server[]) {
  const rest = [...servers]
  const rig = { dials: 0, pool: undefined as unknown as SessionPool }
  const base = {
    async dial(): Promise<Conn> {
      rig.dials++
      const { near, far, close } = await carriers(true)
      void close() // it takes no more connections
      const server = rest.length > 1 ? rest.shift()! : rest[0]!
      server(far)
      return near
    },
  }
  rig.pool = new SessionPool(base, fakeClock(0))
  return rig
}

const goaway = (last: number): Buffer => frame('goaway', 0, 0, Buffer.of(0, 0, 0, last, 0, 0, 0, 0))
const refusal = frame('reset', 0, 1, Buffer.of(0, 0, 0, 7))
/** `:status: 200`, from the static table. */
const answer = frame('headers', 4, 1, Buffer.of(0x88))

describe('a request that a server refuses unseen', () => {
  it.each([
    ['by GOAWAY that does not name it', goaway(0)],
    ['by REFUSED_STREAM', refusal],
  ])('%s is made again, with what was written', async (_, frames) => {
    const rig = poolOver(answering(3, frames, goaway(0)), echoing)
    const conn = await rig.pool.request(to, asked, { until: forever }, () => {})
    await conn.write(Uint8Array.of(1, 2))
    await conn.write(Uint8Array.of(3))
    const got: number[] = []
    while (got.length < 3) got.push(...(await conn.read())!)
    await conn.write(Uint8Array.of(4))
    got.push(...(await conn.read())!)
    expect(got).toEqual([1, 2, 3, 4])
    await conn.closeWrite()
    expect(await conn.read()).toBeNull()
    expect(rig.dials).toBe(2)
    conn.destroy()
    rig.pool.close()
  })

  it('is made again with its end', async () => {
    const rig = poolOver(answering(1, goaway(0)), echoing)
    const conn = await rig.pool.request(to, asked, { until: forever }, () => {})
    await conn.write(Uint8Array.of(1))
    await conn.closeWrite()
    const got: number[] = []
    await conn.drainTo((lent) => void got.push(...lent))
    expect(got).toEqual([1])
    rig.pool.close()
  })

  it('fails when it is refused three times', async () => {
    const rig = poolOver(answering(1, goaway(0)))
    const conn = await rig.pool.request(to, asked, { until: forever }, () => {})
    const read = conn.read()
    await Promise.resolve(conn.write(Uint8Array.of(1))).catch(() => {})
    await expect(read).rejects.toThrow('REFUSED_STREAM')
    expect([conn.gone?.message, rig.dials]).toEqual([expect.stringContaining('REFUSED_STREAM'), 3])
  })

  it('fails when it was answered', async () => {
    const answered = poolOver(answering(1, answer, refusal), echoing)
    const first = await answered.pool.request(to, asked, { until: forever }, () => {})
    await first.write(Uint8Array.of(1))
    await expect(first.read()).rejects.toThrow('REFUSED_STREAM')
    expect(answered.dials).toBe(1)
  })

  it('fails when more was written than is kept', async () => {
    const large = poolOver(answering(limits.http2Resent + 1, goaway(0)), echoing)
    const second = await large.pool.request(to, asked, { until: forever }, () => {})
    await second.write(new Uint8Array(limits.http2Resent + 1))
    await expect(second.read()).rejects.toThrow('REFUSED_STREAM')
    expect(large.dials).toBe(1)
  })

  it('ends when the next connection does, without a word of the server', async () => {
    const failing = poolOver(answering(1, goaway(0)), (far) => far.destroy(new Error('nobody there')))
    const first = await failing.pool.request(to, asked, { until: forever }, () => {})
    await first.write(Uint8Array.of(1))
    expect(await first.read().catch(() => null)).toBeNull()
    await new Promise<unknown>((resolve) => first.onGone(resolve))
  })

  it('is given up with the stream', async () => {
    const reached = deferred<void>()
    const left = poolOver(answering(1, goaway(0)), () => reached.resolve())
    const second = await left.pool.request(to, asked, { until: forever }, () => {})
    await second.write(Uint8Array.of(1))
    const read = second.read()
    await reached.promise
    second.destroy(new Error('enough'))
    await expect(read).rejects.toThrow('enough')
  })
})

connSuite(
  'a request over HTTP/2 that was made a second time',
  async () => {
    const accepted = deferred<Conn>()
    const taking = serving((request) => {
      request.respond({ ':status': 200 })
      accepted.resolve(request.conn)
    })
    const first = answering(0, goaway(0))
    const { pool } = poolOver(first, taking)
    const a = await pool.request(to, asked, { until: forever }, () => {})
    return { a, b: await accepted.promise, close: async () => pool.close() }
  },
  { halfClose: true, test: { describe, it } },
)
