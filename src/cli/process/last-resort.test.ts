import { describe, expect, it } from 'vitest'
import { silentLogger } from '../../core/env.ts'
import { limits } from '../../core/limits.ts'
import type { Peer } from '../../net/on-behalf.ts'
import { LastResort } from './last-resort.ts'

function setUp(peer: (() => Peer | undefined) | undefined) {
  const ends: string[] = []
  const logged: object[] = []
  let now = 0
  const resort = new LastResort({
    log: { ...silentLogger, error: (fields, message) => void logged.push({ ...fields, message }) },
    end: (reason) => void ends.push(reason),
    ...(peer && { peer }),
    elapsed: () => now,
  })
  return { resort, ends, logged, pass: (ms: number) => (now += ms) }
}

describe('a fault that nobody caught', () => {
  it('ends the connection that it came over, is counted and logged', () => {
    const destroyed: Error[] = []
    const peer: Peer = { remote: '192.0.2.1:5', through: 'a test', destroy: (reason) => void destroyed.push(reason) }
    const { resort, ends, logged } = setUp(() => peer)
    const err = new Error('oops')
    resort.fault(err)
    expect(destroyed).toEqual([err])
    expect(resort.contained).toBe(1)
    expect(logged).toEqual([expect.objectContaining({ err, source: '192.0.2.1:5', contained: 1 })])
    expect(ends).toEqual([])
  })

  it('ends the process when it came over no connection', () => {
    const { resort, ends } = setUp(() => undefined)
    resort.fault(new Error('oops'))
    expect(ends).toEqual([expect.stringMatching(/no connection.*oops/s)])
    expect(resort.contained).toBe(0)
  })

  it('ends the process when there are too many within a minute', () => {
    const { resort, ends, pass } = setUp(() => ({ remote: '', through: 'a test', destroy: () => {} }))
    for (let i = 0; i < limits.faultsPerMinute; i++) resort.fault(new Error('oops'))
    pass(60_000)
    for (let i = 0; i < limits.faultsPerMinute; i++) resort.fault(new Error('oops'))
    expect(ends).toEqual([])
    pass(59_999)
    resort.fault('oops')
    expect(ends).toEqual([expect.stringMatching(/more than 60 faults.*oops/s)])
  })
})
