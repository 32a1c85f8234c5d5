import { describe, expect, it } from 'vitest'
import { formatAddress, parseAddress } from './address.ts'

describe('parseAddress', () => {
  it.each([
    ['127.0.0.1:80', { host: '127.0.0.1', port: 80 }],
    ['[2001:db8::1]:443', { host: '2001:db8::1', port: 443 }],
    ['example.com:65535', { host: 'example.com', port: 65535 }],
    ['unix:/run/x', { host: '', port: 0, path: '/run/x' }],
    ['unix:@name', { host: '', port: 0, path: '\0name' }],
  ])('reads what formatAddress writes: %s', (text, address) => {
    expect(parseAddress(text)).toEqual(address)
    expect(formatAddress(address)).toBe(text)
  })

  it.each([
    '',
    '127.0.0.1',
    ':80',
    '127.0.0.1:',
    '127.0.0.1:65536',
    '::1:80',
    '[::1]',
    'a:80x',
  ])('refuses %j', (text) => {
    expect(parseAddress(text)).toBeUndefined()
  })
})
