/** A client that says "I have finished sending" still gets its whole answer, and the target learns of it. */

import { createHash } from 'node:crypto'
import { createServer } from 'node:net'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Content } from '../interop/rig/content.ts'
import { withPair } from '../interop/rig/pair.ts'
import { order } from '../interop/rig/traffic.ts'
import { downSeed, readContent, sendContent, startTarget, type Target } from '../interop/target.ts'

const upBytes = 1024 * 1024
const downBytes = 3 * 1024 * 1024

let target: Target
beforeAll(async () => {
  target = await startTarget()
})
afterAll(() => target.close())

describe.each([
  { carrier: 'TCP', tls: false },
  { carrier: 'TLS', tls: true },
])('half-close over $carrier', ({ tls }) => {
  it.each([
    { when: 'at once', waitMs: 0 },
    // Less than downlinkOnly, which runs from the FIN on.
    { when: 'after 2 s', waitMs: 2_000 },
  ])('1 MB up, FIN, 3 MB down when the target answers $when', ({ waitMs }) =>
    withPair({ client: 'ours', server: 'ours', inside: true, tls }, async (pair) => {
      const seed = 5
      const wire = await pair.open(target, { name: 'half-close' })
      await order(wire, { mode: 'answer', seed, waitMs, down: downBytes })
      await sendContent(wire, seed, upBytes)
      wire.end()
      const sentAt = performance.now()
      // The target answers nothing before it has seen FIN.
      const seen = JSON.parse(await wire.readLine()) as { bytes: number; sha256: string }
      expect(performance.now() - sentAt).toBeGreaterThanOrEqual(waitMs - 100)
      const sha256 = createHash('sha256').update(new Content(seed).next(upBytes)).digest('hex')
      expect(seen).toEqual({ bytes: upBytes, sha256 })
      await readContent(wire, downSeed(seed), downBytes, 'down')
      expect(await wire.readSome()).toBeNull()
      expect(target.problems()).toEqual([])
    }))

  it('a target that ends first leaves the other direction open', () =>
    withPair({ client: 'ours', server: 'ours', inside: true, tls }, async (pair) => {
      const early = await startEarlyEnder()
      try {
        const wire = await pair.open({ host: '127.0.0.1', port: early.port }, { name: 'early end' })
        await wire.write('hello')
        expect((await wire.readSome())?.toString()).toBe('bye')
        expect(await wire.readSome()).toBeNull()
        await sendContent(wire, 6, upBytes)
        wire.end()
        expect(await early.received).toBe(5 + upBytes)
      } finally {
        await early.close()
      }
    }))
})

/** Answers "bye" and FIN to the first bytes, and goes on reading; `received` counts up to the client's FIN. */
async function startEarlyEnder() {
  let settle: (bytes: number) => void = () => {}
  const received = new Promise<number>((resolve) => {
    settle = resolve
  })
  const server = createServer({ allowHalfOpen: true }, (socket) => {
    let bytes = 0
    socket.once('data', () => socket.end('bye'))
    socket.on('data', (chunk) => {
      bytes += chunk.length
    })
    socket.once('end', () => settle(bytes))
    socket.on('error', () => settle(bytes))
  })
  await new Promise<void>((resolve) => server.listen({ host: '127.0.0.1', port: 0 }, resolve))
  return {
    port: (server.address() as { port: number }).port,
    received,
    close: () => new Promise((resolve) => server.close(resolve)),
  }
}
