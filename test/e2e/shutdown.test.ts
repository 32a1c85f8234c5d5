/** What a signal does: no new connections, those in progress may finish, and an exit code that says all is well. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { Content } from '../interop/rig/content.ts'
import { accepts, type Exit, type Peer } from '../interop/rig/harness.ts'
import { type Pair, withPair } from '../interop/rig/pair.ts'
import { echoOnce, order } from '../interop/rig/traffic.ts'
import type { Wire } from '../interop/rig/wire.ts'
import { startTarget, type Target } from '../interop/target.ts'
import { long } from '../support/long.ts'
import { eventually } from './process-usage.ts'

let target: Target
beforeAll(async () => {
  target = await startTarget()
})
afterAll(() => target.close())

/** The end that is stopped, and the port it listens on. */
const ends = [
  { end: 'server', peer: (pair: Pair): Peer => pair.server, port: (pair: Pair) => pair.serverPort },
  { end: 'client', peer: (pair: Pair): Peer => pair.client, port: (pair: Pair) => pair.doorPort },
]

const pairOfOurs = { client: 'ours', server: 'ours' } as const

describe.each(ends)('a signal to the $end', ({ peer, port }) => {
  it('exits at once with 0 when nothing is in progress', () =>
    withPair(pairOfOurs, async (pair) => {
      peer(pair).kill('SIGTERM')
      expect(await exitWithin(peer(pair), 5_000)).toEqual({ code: 0, signal: null })
    }))

  it.each(['SIGTERM', 'SIGINT'] as const)('%s stops accepting, lets a transfer finish, exits with 0', (signal) =>
    withPair(pairOfOurs, async (pair) => {
      const wire = await echoing(pair)
      const content = new Content(3)
      peer(pair).kill(signal)
      expect(await eventually(async () => !(await accepts(port(pair))))).toBe(true)
      for (let round = 0; round < 20; round++) await echoOnce(wire, content.next(50_000))
      wire.end()
      expect(await wire.readSome()).toBeNull()
      expect(await exitWithin(peer(pair), 5_000)).toEqual({ code: 0, signal: null })
    }))

  it('a second signal cuts at once', () =>
    withPair(pairOfOurs, async (pair) => {
      const wire = await echoing(pair)
      peer(pair).kill('SIGTERM')
      expect(await eventually(async () => !(await accepts(port(pair))))).toBe(true)
      await echoOnce(wire, Buffer.from('still there'))
      peer(pair).kill('SIGTERM')
      const exit = await exitWithin(peer(pair), 3_000)
      expect(exit.code, 'ended by itself, not by the signal').not.toBeNull()
      await expect(endOf(wire)).resolves.toBe('over')
    }))
})

// Under a fake clock the same stands beside the code: what gives the time, and what keeps it.
it.runIf(long)('a transfer that does not finish within 10 s is cut', { timeout: 40_000 }, () =>
  withPair(pairOfOurs, async (pair) => {
    const wire = await echoing(pair)
    const signalledAt = performance.now()
    pair.server.kill('SIGTERM')
    expect(await exitWithin(pair.server, 20_000)).toEqual({ code: 0, signal: null })
    expect(performance.now() - signalledAt).toBeGreaterThan(9_000)
    await expect(endOf(wire)).resolves.toBe('over')
  }),
)

async function echoing(pair: Pair): Promise<Wire> {
  const wire = await pair.open(target, { name: 'in progress', stallMs: 25_000 })
  await order(wire, { mode: 'echo' })
  await echoOnce(wire, Buffer.from('hello'))
  return wire
}

/** However a cut shows: as an end or as an error. */
const endOf = (wire: Wire): Promise<'over' | 'bytes'> =>
  wire.readSome().then(
    (bytes) => (bytes ? 'bytes' : 'over'),
    () => 'over',
  )

async function exitWithin(peer: Peer, ms: number): Promise<Exit> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${peer.name} still runs after ${ms} ms`)), ms)
  })
  try {
    return await Promise.race([peer.exited, late])
  } finally {
    clearTimeout(timer)
  }
}
