import { describe, expect, it } from 'vitest'
import { loadConfigValue } from '../../config/load.ts'
import type { OutboundConfig } from '../../settings/model.ts'
import { Outbounds, type RunningOutbound } from './outbounds.ts'

function running(tag: string, through?: string): RunningOutbound {
  const proxySettings = through === undefined ? {} : { proxySettings: { tag: through } }
  const value = { outbounds: [{ protocol: 'freedom', tag, ...proxySettings }] }
  const config = loadConfigValue(value, { otherOutbounds: through === undefined ? [] : [through] }).config!
    .outbounds[0] as OutboundConfig
  return { outbound: { tag, dial: () => Promise.reject(new Error('unused')), close: async () => {} }, config }
}

describe('chains of outbounds', () => {
  it('are followed for whoever wants to show them', () => {
    const outbounds = new Outbounds()
    const [a, b, c] = [running('a', 'b'), running('b', 'c'), running('c')]
    for (const one of [a, b, c]) outbounds.add(one)
    expect(outbounds.waysOf(a.outbound)).toEqual(['b', 'c'])
    expect(outbounds.waysOf(b.outbound)).toEqual(['c'])
    expect(outbounds.waysOf(c.outbound)).toBeUndefined()
  })

  it('never lead to the API, which asks for no password', () => {
    const outbounds = new Outbounds()
    outbounds.add({ outbound: { ...running('api').outbound, tag: 'api' } })
    outbounds.add(running('out'))
    expect(outbounds.passable('api')).toBeUndefined()
    expect(outbounds.passable('out')!.tag).toBe('out')
  })

  it('cannot be closed to a ring by an API', () => {
    const outbounds = new Outbounds()
    outbounds.add(running('a', 'b'))
    outbounds.add(running('b', 'c'))
    expect(() => outbounds.add(running('c', 'a'))).toThrow(
      'these outbounds would lead through each other in a ring: "a" → "b" → "c" → "a"',
    )
    expect([...outbounds]).toHaveLength(2)
    outbounds.add(running('c'))
  })
})
