import { afterAll, beforeAll, expect, it } from 'vitest'
import { withPair } from '../interop/rig/pair.ts'
import { order } from '../interop/rig/traffic.ts'
import { downSeed, readContent, sendContent, startTarget, type Target } from '../interop/target.ts'
import { heldBy, measured } from './held-memory.ts'

let target: Target
beforeAll(async () => {
  target = await startTarget()
})
afterAll(() => target.close())

const collections = (log: string): number => log.split('Mark-Compact').length - 1

/**
 * node:crypto gives every chunk a buffer of its own. As long as they die young they cost little; but once a full collection
 * has set V8's limit near the small heap that a proxy has, their bytes alone pass it, and each 30 MB carried cost another
 * full collection: half as much CPU again, for the rest of the process's life.
 */
it('carrying bytes does not make the garbage collector walk the whole heap again and again', {
  timeout: 60_000,
}, () => {
  const nodeArgs = ['--trace-gc', ...measured.nodeArgs]
  const quiet = { log: { access: 'none', loglevel: 'warning' } }
  return withPair(
    {
      client: 'ours',
      server: 'ours',
      security: 'aes-128-gcm',
      clientExtra: quiet,
      serverExtra: quiet,
      clientStart: { nodeArgs },
      serverStart: { nodeArgs },
    },
    async ({ client, server, open }) => {
      const carry = async (bytes: number) => {
        const wire = await open(target)
        await order(wire, { mode: 'duplex', seed: 1, up: bytes, down: 1 })
        await Promise.all([sendContent(wire, 1, bytes), readContent(wire, downSeed(1), 1, 'down')])
        await wire.read(64)
        wire.destroy()
      }
      await carry(100_000_000)
      for (const peer of [client, server]) await heldBy(peer)()
      const before = [client, server].map(({ log }) => collections(log()))
      await carry(400_000_000)
      const during = [client, server].map(({ log }, i) => collections(log()) - before[i]!)
      expect(Math.max(...during)).toBeLessThanOrEqual(3)
    },
  )
})
