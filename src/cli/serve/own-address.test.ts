import type { NetworkInterfaceInfo } from 'node:os'
import { expect, it } from 'vitest'
import { isPrivate, ownAddress } from './own-address.ts'

const card = (address: string, internal = false) =>
  ({ address, internal, family: address.includes(':') ? 'IPv6' : 'IPv4' }) as NetworkInterfaceInfo

it('prefers IPv4, then IPv6 that is not link-local, and is never empty-handed', () => {
  const lo = [card('127.0.0.1', true), card('::1', true)]
  expect(ownAddress({ lo, eth0: [card('fe80::1'), card('2001:db8::1'), card('192.0.2.7')] })).toBe('192.0.2.7')
  expect(ownAddress({ lo, eth0: [card('169.254.1.1'), card('fe80::1'), card('2001:db8::1')] })).toBe('2001:db8::1')
  expect(ownAddress({ lo })).toBe('127.0.0.1')
})

it.each([
  ['10.1.2.3', true],
  ['172.15.0.1', false],
  ['172.16.0.1', true],
  ['172.32.0.1', false],
  ['192.168.1.1', true],
  ['192.0.2.7', false],
  ['100.64.0.1', true],
  ['127.0.0.1', true],
  ['::1', true],
  ['fd00::1', true],
  ['2001:db8::1', false],
  ['fd.example', false],
])('%s is private: %s', (address, expected) => {
  expect(isPrivate(address)).toBe(expected)
})
