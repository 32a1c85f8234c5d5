import { describe, expect, it } from 'vitest'
import { parseNetwork } from '../core/networks.ts'
import { clientBehind } from './client-address.ts'

const trust = {
  networks: ['127.0.0.0/8', '::1', '10.0.0.0/9', '2001:db8::/33'].map((text) => parseNetwork(text)!),
  unix: true,
  headers: ['X-Secret'],
}
const from = (remote: string, forwarded: string | string[], others: Record<string, string> = {}) =>
  clientBehind(
    remote,
    (name) => (name === 'X-Forwarded-For' ? [forwarded].flat() : name in others ? [others[name]!] : []),
    trust,
  )

describe('the address of a client', () => {
  it.each([
    ['127.0.0.1:5', '203.0.113.9', '203.0.113.9:0'],
    ['[::1]:5', '2001:DB9:0::9', '[2001:db9::9]:0'],
    ['unix:', '203.0.113.9', '203.0.113.9:0'],
    ['unix:/run/x', '203.0.113.9', '203.0.113.9:0'],
    ['10.1.2.3:5', '203.0.113.9:4711', '203.0.113.9:0'],
    ['127.0.0.1:5', '[2001:db9::1]:4711', '[2001:db9::1]:0'],
    ['127.0.0.1:5', '::ffff:203.0.113.9', '203.0.113.9:0'],
    ['127.0.0.1:5', '203.0.113.9, 10.2.3.4, 127.0.0.1', '203.0.113.9:0'],
    ['127.0.0.1:5', '10.2.3.4', '10.2.3.4:0'],
  ])('by way of %s, which says %s, is %s', (remote, forwarded, client) => {
    expect(from(remote, forwarded)).toBe(client)
  })

  it('is not what a client has written in front of what the proxy added', () => {
    expect(from('127.0.0.1:5', '9.9.9.9, 203.0.113.9')).toBe('203.0.113.9:0')
    expect(from('127.0.0.1:5', ['9.9.9.9', '203.0.113.9'])).toBe('203.0.113.9:0')
    expect(from('127.0.0.1:5', '9.9.9.9, nonsense')).toBeUndefined()
    expect(from('127.0.0.1:5', '9.9.9.9, nonsense, 10.1.1.1')).toBe('10.1.1.1:0')
  })

  it('is that of the connection where the sender is not trusted, or says nothing', () => {
    for (const remote of ['203.0.113.1:5', '10.128.0.1:5', '[2001:db8:8000::1]:5', '', 'memory'])
      expect(from(remote, '9.9.9.9')).toBeUndefined()
    expect(from('127.0.0.1:5', '')).toBeUndefined()
    expect(from('127.0.0.1:5', [])).toBeUndefined()
    expect(from('127.0.0.1:5', 'localhost')).toBeUndefined()
  })

  it('is told by whoever sends a header that only a proxy knows', () => {
    expect(from('203.0.113.1:5', '9.9.9.9', { 'X-Secret': 'a' })).toBe('9.9.9.9:0')
  })
})

describe('networks', () => {
  it('are addresses with a length, or one address', () => {
    for (const wrong of ['a', '1.2.3', '1.2.3.4/33', '::1/129', '1.2.3.4/', '1.2.3.4/8/8', '1.2.3.4/-1', ''])
      expect(parseNetwork(wrong)).toBeUndefined()
    expect(parseNetwork('0.0.0.0/0')).toMatchObject({ bits: 0 })
  })
})
