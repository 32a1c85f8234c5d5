import { describe, expect, it } from 'vitest'
import { addressMask } from './mask-address.ts'

describe('maskAddress', () => {
  it.each([
    ['', '192.0.2.7', '192.0.2.7'],
    ['quarter', '192.0.2.7', '192.*.*.*'],
    ['half', '192.0.2.7', '192.0.*.*'],
    ['full', '192.0.2.7', '[Masked IPv4]'],
    ['quarter', '2001:db8:a:b::1', '2001::/16'],
    ['half', '2001:db8:a:b::1', '2001:db8::/32'],
    ['full', '2001:db8:a:b::1', '[Masked IPv6]'],
    ['/24+/48', '192.0.2.7 2001:db8:a:b::1', '192.0.2.* 2001:db8:a::/48'],
    ['/8', '192.0.2.7', '192.*.*.*'],
    ['/32+/128', '192.0.2.7 2001:db8::1', '192.0.2.7 2001:db8::1'],
    ['half', '::ffff:192.0.2.7', '192.0.*.*'],
    ['full', 'tcp:[::1]:443', 'tcp:[[Masked IPv6]]:443'],
    ['full', 'nothing at 06:07:08, code 300.1', 'nothing at 06:07:08, code 300.1'],
    ['full', 'version 999.1.1.1', 'version 999.1.1.1'],
  ])('%s: %s becomes %s', (setting, text, masked) => {
    expect(addressMask(setting)(text)).toBe(masked)
  })
})
