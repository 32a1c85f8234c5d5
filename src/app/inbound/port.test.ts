import { describe, expect, it } from 'vitest'
import type { Listener, Listening } from '../../core/dialer.ts'
import { silentLogger } from '../../core/env.ts'
import { limits } from '../../core/limits.ts'
import { fakeClock, fakeRandom } from '../../testing/fakes.ts'
import { Port } from './port.ts'
import { alone } from './shared/shared-ports.ts'

/** A port over a listener that binds nothing, and that takes its time when it is told to. */
async function rig() {
  const clock = fakeClock(1_700_000_000_000)
  const env = { clock, random: fakeRandom(1), log: silentLogger }
  const open = new Set<Listening>()
  const waiting: (() => void)[] = []
  let slow = false
  let taken = false
  const base: Listener = {
    async listen(address) {
      if (slow) await new Promise<void>((resolve) => waiting.push(resolve))
      if (taken) throw new Error('the port is taken')
      const listening: Listening = { address, close: async () => void open.delete(listening) }
      open.add(listening)
      return listening
    },
  }
  const port = await Port.open({ address: { host: '127.0.0.1', port: 7000 } }, { base: alone(base) }, env)
  const settle = () => new Promise<void>((resolve) => setImmediate(resolve))
  return {
    clock,
    port,
    base,
    open,
    settle,
    slowly: (yes: boolean) => (slow = yes),
    take: (yes: boolean) => (taken = yes),
    goOn: async () => {
      for (const go of waiting.splice(0)) go()
      await settle()
    },
  }
}

describe('a port', () => {
  it('stays closed when it is paused again before it was open again', async () => {
    const { port, open, slowly, goOn } = await rig()
    slowly(true)
    port.pause()
    port.resume()
    port.pause()
    await goOn()
    expect(open.size).toBe(0)
  })

  it('does not try again while it is paused', async () => {
    const { port, open, take, settle, clock } = await rig()
    port.pause()
    take(true)
    port.resume()
    await settle()
    expect(clock.pending).toBe(1)
    take(false)
    port.pause()
    clock.advance(limits.reopenMs)
    await settle()
    expect(open.size).toBe(0)
    port.resume()
    await settle()
    expect(open.size).toBe(1)
  })

  it('leaves no timer and nothing open when it is closed', async () => {
    const { port, open, take, settle, slowly, goOn, clock } = await rig()
    port.pause()
    take(true)
    port.resume()
    await settle()
    port.close()
    expect(clock.pending).toBe(0)
    const other = await rig()
    other.slowly(true)
    other.port.pause()
    other.port.resume()
    other.port.close()
    await other.goOn()
    expect(other.open.size).toBe(0)
    slowly(false)
    await goOn()
    expect(open.size).toBe(0)
  })

  it('is bound by the last of several listeners', async () => {
    const { port, base, open, slowly, goOn } = await rig()
    const used: string[] = []
    const named = (name: string): Listener => ({
      async listen(address, accept) {
        const listening = await base.listen(address, accept)
        used.push(name)
        const close = () => {
          used.splice(used.indexOf(name), 1)
          return listening.close()
        }
        return { address, close }
      },
    })
    slowly(true)
    port.rebind(alone(named('first')))
    port.rebind(alone(named('second')))
    await goOn()
    expect(used).toEqual(['second'])
    expect(open.size).toBe(1)
  })
})
