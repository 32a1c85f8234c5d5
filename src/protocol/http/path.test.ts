import fc from 'fast-check'
import { expect, it } from 'vitest'
import { escapePath, escapeQuery, escapeTarget } from './path.ts'

// What V2Ray 4.34 (ws, h2) and Xray 26.7 (ws, httpupgrade, xhttp) send for these; seen on the wire.
it.each([
  ['/a', '/a'],
  ['/a b💃', '/a%20b%F0%9F%92%83'],
  ['/@x!(y)💃', '/@x%21%28y%29%F0%9F%92%83'],
  ['/@x!(y)', '/@x!(y)'],
  ['/a%20b', '/a%20b'],
  ['/a%20b c', '/a%20b%20c'],
  ['/a?x=1', '/a?x=1'],
  ['/a?x=b c', '/a?x=b%20c'],
  ['/a#b?c', '/a'],
  ['/\ud83d', '/%EF%BF%BD'],
])('the end of a URL, %j, is asked for as %s', (text, target) => {
  expect(escapeTarget(text)).toBe(target)
})

it.each([
  ['/a', '/a'],
  ['/a?x=1', '/a%3Fx=1'],
  ['/a%20b#c', '/a%2520b%23c'],
  ['/@x!(y)', '/@x%21%28y%29'],
])('what is all path, %j, is asked for as %s', (path, target) => {
  expect(escapePath(path)).toBe(target)
})

it('whatever is configured is found again by who decodes, and can stand in a request line', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), (text) => {
      const path = `/${text}`
      expect(decodeURIComponent(escapePath(path))).toBe(path)
      for (const sent of [escapePath(path), escapeTarget(path), escapeQuery(path)]) expect(sent).toMatch(/^[!-~]*$/)
    }),
  )
})
