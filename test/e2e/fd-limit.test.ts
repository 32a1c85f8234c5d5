import { afterAll, beforeAll, expect, it } from 'vitest'
import { withPair } from '../interop/pair.ts'
import { startTarget, type Target } from '../interop/target.ts'
import { echoOnce, order } from '../interop/traffic.ts'
import type { Wire } from '../interop/wire.ts'
import { eventually, hasProc } from './process-usage.ts'

let target: Target
beforeAll(async () => {
  target = await startTarget()
})
afterAll(() => target.close())

const underFewDescriptors = ['sh', '-c', 'ulimit -n 128; exec "$@"', 'sh']

it.runIf(hasProc)('running out of descriptors is said in the log, survived, and over when connections end', () =>
  withPair(
    { client: 'ours', server: 'ours', serverStart: { under: underFewDescriptors } },
    async ({ server, open }) => {
      const held: Wire[] = []
      const hold = async () => {
        const wire = await open(target, { stallMs: 3_000 })
        held.push(wire)
        await order(wire, { mode: 'echo' })
        await echoOnce(wire, Buffer.from('hello'))
        wire.socket.setTimeout(0)
      }
      // Each takes two descriptors of the server: more than fit.
      const outcomes = await Promise.allSettled(Array.from({ length: 120 }, hold))
      const carried = outcomes.filter(({ status }) => status === 'fulfilled').length
      expect(carried).toBeGreaterThan(20)
      expect(carried).toBeLessThan(64)
      await server.logged(/file descriptors are running out \(limit 128\)/)

      for (const wire of held) wire.destroy()
      const servesAgain = await eventually(async () => {
        try {
          await hold()
          return true
        } catch {
          return false
        }
      }, 20_000)
      expect({ running: server.running(), servesAgain }).toEqual({ running: true, servesAgain: true })
      expect(server.log()).toContain('accepting goes on')
      for (const wire of held) wire.destroy()
    },
  ),
)
