import { connect } from 'node:http2'
import { expect, it } from 'vitest'
import { carriers } from '../../../test/support/http2-rig.ts'
import { layerRig } from '../../../test/support/layer-pair.ts'
import { unlessBun } from '../../../test/support/runtime.ts'
import type { Conn } from '../../core/conn.ts'
import { forever } from '../../core/lifetime.ts'
import { limits } from '../../core/limits.ts'
import { toDuplex } from '../../net/streams/duplex.ts'
import { fakeClock } from '../../testing/fakes.ts'
import type { ServerRequest } from './model.ts'
import { SessionPool } from './pool.ts'
import { ResetAllowance } from './reset-allowance.ts'
import { Http2Passage } from './server.ts'

const kind = { layer: 'h', halfClose: 'none' } as const

/** A server that gives back what it is sent, and how to reach it. */
function echoServer() {
  const { deps } = layerRig()
  const other = { pending: 0, receive: (conn: Conn) => conn.destroy(), close: () => {} }
  const serve = (request: ServerRequest): void => {
    request.respond({ ':status': 200 })
    const { conn } = request
    void conn.drainTo((lent) => conn.write(lent)).catch(() => conn.destroy())
  }
  const passage = new Http2Passage({ kind, forwarded: false, serve, other }, deps)
  const closing: (() => Promise<void>)[] = []
  return {
    async dial(): Promise<Conn> {
      const { near, far, close } = await carriers(true)
      closing.push(close)
      passage.receive(far)
      return near
    },
    async close(): Promise<void> {
      passage.close()
      for (const close of closing) await close()
    },
  }
}

unlessBun('bounds in node:http2')('a client that ends stream after stream loses none of them', async () => {
  const server = echoServer()
  let dials = 0
  const base = {
    dial: () => {
      dials++
      return server.dial()
    },
  }
  const pool = new SessionPool(base, fakeClock(0))
  const to = { host: 'a.example', port: 443 }
  let left = limits.http2ResetBurst + 100
  const broken: unknown[] = []
  const one = async (): Promise<void> => {
    const session = await pool.session(to, { until: forever })
    const { conn } = session.request({ ':method': 'POST', ':path': '/' }, kind)
    await conn.write(Uint8Array.of(1))
    expect(await conn.read()).toEqual(Uint8Array.of(1))
    conn.destroy()
  }
  const worker = async (): Promise<void> => {
    while (left-- > 0) await one().catch((error) => broken.push(error))
  }
  await Promise.all(Array.from({ length: 16 }, worker))
  expect(broken).toEqual([])
  expect(dials).toBe(2)
  pool.close()
  await server.close()
})

unlessBun('bounds in node:http2')(
  'a server ends a connection in order before the resets of its client are too many',
  async () => {
    const server = echoServer()
    const near = await server.dial()
    const session = connect('http://h.example', { createConnection: () => toDuplex(near) })
    const codes: number[] = []
    session.on('error', () => {}).on('goaway', (code) => codes.push(code))
    const request = () => session.request({ ':method': 'POST', ':path': '/' }).on('error', () => {})
    const heard = (stream: ReturnType<typeof request>, byte: number): Promise<number> =>
      new Promise((resolve, reject) => {
        stream.once('data', (bytes: Buffer) => resolve(bytes[0]!))
        stream.once('close', () => reject(new Error('closed')))
        stream.write(Uint8Array.of(byte))
      })
    const kept = request()
    expect(await heard(kept, 1)).toBe(1)
    let reset = 0
    for (; codes.length === 0 && reset < limits.http2ResetBurst; reset++) {
      const stream = request()
      await heard(stream, 2).catch(() => {})
      stream.close(8)
      await new Promise((resolve) => stream.once('close', resolve))
    }
    expect(codes).toEqual([0])
    expect(reset).toBeGreaterThan(limits.http2ResetBurst - 2 * limits.http2ServerResetReserve)
    expect(await heard(kept, 3)).toBe(3)
    session.destroy()
    await server.close()
  },
)

it('resets that come slowly are never too many', () => {
  const clock = fakeClock(0)
  const allowance = new ResetAllowance(clock)
  const spend = (count: number): void => {
    for (let i = 0; i < count; i++) allowance.spend()
  }
  spend(899)
  expect(allowance.isShort(0, 100)).toBe(false)
  expect(allowance.isShort(1, 100)).toBe(true)
  spend(1)
  expect(allowance.isShort(0, 100)).toBe(true)
  clock.advance(1_000)
  spend(32)
  expect(allowance.isShort(0, 100)).toBe(false)
  clock.advance(3_600_000)
  spend(1)
  expect(allowance.isShort(0, limits.http2ResetBurst - 2)).toBe(false)
  expect(allowance.isShort(0, limits.http2ResetBurst - 1)).toBe(true)
})
