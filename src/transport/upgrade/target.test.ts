import { expect, it } from 'vitest'
import { parseUpgradePath } from './config.ts'
import { decodeEarlyData } from './early-data.ts'
import { hostOf, pathOf } from './target.ts'

it.each([
  ['', '/', 0],
  ['ray', '/ray', 0],
  ['/ray?ed=2048', '/ray', 2048],
  ['/ray?x=1&ed=2560&a=b', '/ray?a=b&x=1', 2560],
  ['/ray?ed=', '/ray?ed=', 0],
  ['/ray?x=%20', '/ray?x=%20', 0],
  ['/r y?x=%20', '/r y?x=%20', 0],
  ['/r y?ed=9', '/r%20y', 9],
])('the path %j is %s', (configured, path, earlyData) => {
  expect(parseUpgradePath(configured)).toEqual({ path, earlyData })
})

it('paths are compared decoded, without query, and in absolute form too', () => {
  expect(pathOf('/a%20b?c#d')).toBe('/a b')
  expect(pathOf('http://x.example/a?b')).toBe('/a')
  expect(pathOf('http://x.example')).toBe('/')
  expect(pathOf('/%zz')).toBeUndefined()
  expect(pathOf('/\u00e4\u00f0\u009f\u0092\u0083')).toBeUndefined()
  expect(pathOf('/\u00f0\u009f\u0092\u0083')).toBe('/💃')
})

it('hosts are compared without port and case', () => {
  expect(hostOf('A.example:8080')).toBe('a.example')
  expect(hostOf('[::1]:80')).toBe('[::1]')
  expect(hostOf('[::1]')).toBe('[::1]')
})

it('what is no base64 is no early data', () => {
  expect(decodeEarlyData('abc.d')).toBeUndefined()
  expect(decodeEarlyData('a')).toBeUndefined()
  expect(decodeEarlyData('AQI=')).toEqual(Uint8Array.of(1, 2))
})
