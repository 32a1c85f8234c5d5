import { afterEach, describe, expect, it } from 'vitest'
import { silentLogger } from '../../core/env.ts'
import { limits } from '../../core/limits.ts'
import { StopSignals, untilStopped, watchTerminal } from './lifecycle.ts'

let signals: StopSignals | undefined
afterEach(() => signals?.close())

/** What a handler of this process is told, without the signal. */
const send = (name: NodeJS.Signals) => void process.emit(name, name)

describe('SIGHUP', () => {
  it('stops where there is nothing to read again', async () => {
    signals = new StopSignals()
    send('SIGHUP')
    expect(await signals.next()).toBe('SIGHUP')
  })

  it('reloads where there is, as often as it comes, and also when it came too early', async () => {
    signals = new StopSignals({ reloads: true, terminalGone: () => false })
    let reloads = 0
    send('SIGHUP')
    signals.onReload(() => reloads++)
    expect(reloads).toBe(1)
    send('SIGHUP')
    send('SIGHUP')
    expect(reloads).toBe(3)
    send('SIGTERM')
    expect(await signals.next()).toBe('SIGTERM')
  })

  it('stops all the same when it says that the terminal was closed', async () => {
    let open = true
    signals = new StopSignals({ reloads: true, terminalGone: watchTerminal((descriptor) => descriptor === 1 && open) })
    let reloads = 0
    signals.onReload(() => reloads++)
    send('SIGHUP')
    open = false
    send('SIGHUP')
    expect(await signals.next()).toBe('SIGHUP')
    expect(reloads).toBe(1)
  })

  it('never counts as a closed terminal where there was none', () => {
    const gone = watchTerminal(() => false)
    expect(gone()).toBe(false)
  })
})

describe('an orderly stop', () => {
  const stoppable = (stop: (graceMs: number) => Promise<void>, kill = () => {}) => ({ connections: 1, stop, kill })

  it('gives what is in progress its bounded time', async () => {
    signals = new StopSignals()
    const given: number[] = []
    send('SIGTERM')
    await untilStopped([stoppable(async (graceMs) => void given.push(graceMs))], silentLogger, signals)
    expect(given).toEqual([limits.shutdownMs])
  })

  it('cuts it at a second signal', async () => {
    signals = new StopSignals()
    let cut = () => {}
    const ended = new Promise<void>((resolve) => {
      cut = resolve
    })
    const stopped = untilStopped([stoppable(() => ended, cut)], silentLogger, signals)
    send('SIGTERM')
    await Promise.resolve()
    send('SIGTERM')
    await stopped
  })
})
