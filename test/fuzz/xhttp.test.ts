import fc from 'fast-check'
import { expect, it } from 'vitest'
import { memoryPair } from '../../src/net/memory/memory.ts'
import { xhttpRig } from '../support/xhttp-rig.ts'

const padding = `Referer: http://a/x/?x_padding=${'X'.repeat(100)}\r\n`
const piece = fc.oneof(
  {
    weight: 3,
    arbitrary: fc
      .constantFrom('GET', 'POST', 'PUT', 'OPTIONS')
      .chain((method) =>
        fc
          .constantFrom('/x/', '/x/i', '/x/i/0', '/x/i/1', '/x/i/9', '/y', '*')
          .map((path) => `${method} ${path} HTTP/1.1\r\nHost: a\r\n${padding}`),
      ),
  },
  fc.constantFrom(
    '\r\n',
    'Content-Length: 5\r\n\r\nhello',
    'Content-Length: 9999999\r\n\r\n',
    'Transfer-Encoding: chunked\r\n\r\n',
    '5\r\nhello\r\n',
    '0\r\n\r\n',
    'Expect: 100-continue\r\n',
    'X-Data-0: %\r\n',
    'Connection: close\r\n',
  ),
  fc.string({ maxLength: 20 }),
)

it('whatever comes on any number of carriers, the server lives and lets go of everything', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.array(piece, { maxLength: 12 }), { maxLength: 4 }), async (carriers) => {
      const rig = xhttpRig()
      const ends = carriers.map((pieces) => {
        const [near, far] = memoryPair()
        near.drainTo(() => {}).catch(() => {})
        rig.passage.receive(far)
        return { near, pieces }
      })
      for (const { near, pieces } of ends)
        for (const text of pieces) await Promise.resolve(near.write(Buffer.from(text, 'latin1'))).catch(() => {})
      for (let i = 0; i < 6; i++) await new Promise((resolve) => setImmediate(resolve))
      for (const conn of rig.served) conn.read().catch(() => {})
      for (const { near } of ends) near.destroy()
      rig.clock.advance(400_000)
      for (let i = 0; i < 6; i++) await new Promise((resolve) => setImmediate(resolve))
      rig.clock.advance(400_000)
      expect(rig.passage.pending).toBe(0)
      expect(rig.served.every(({ gone }) => gone)).toBe(true)
      expect(rig.clock.pending).toBe(0)
    }),
    { numRuns: 150 },
  )
})
