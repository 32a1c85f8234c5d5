import { expect, it } from 'vitest'
import { formatLink, linkToOutbound, parseLink } from '../../src/config/link/share-link.ts'
import { isProxyError } from '../../src/core/errors.ts'
import { samples } from '../links/corpus.ts'
import { long } from '../support/long.ts'

const rounds = long ? 100_000 : 20_000

/** A small generator with a fixed seed: a failure can be repeated. */
function numbers(seed: number): (limit: number) => number {
  let state = seed
  return (limit) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 2 ** 32) * limit)
  }
}

const oddPieces = [
  '"',
  '{',
  '}',
  '[',
  ':',
  ',',
  '@',
  '#',
  '?',
  '&',
  '=',
  '%',
  '%00',
  '%ff',
  '\\',
  '/',
  '\n',
  '\0',
  'é',
  '\ud800',
  '🍉',
  '999999999999999999999',
  '-1',
  'null',
  '__proto__',
  'constructor',
  ' ',
  'vmess://',
  '==',
]

/** Mutates the text itself, or what is inside its base64: there the parsers behind the envelope are reached. */
function mutate(link: string, below: (limit: number) => number): string {
  const inner = /^vmess:\/\/([A-Za-z0-9+/_-]+=*)/.exec(link)?.[1]
  if (inner === undefined || below(4) === 0) return mutateText(link, below)
  const decoded = Buffer.from(inner, 'base64').toString('utf8')
  const changed = Buffer.from(mutateText(decoded, below)).toString('base64')
  return link.replace(inner, () => changed)
}

function mutateText(text: string, below: (limit: number) => number): string {
  let result = text
  for (let left = 1 + below(4); left > 0; left--) {
    const at = below(result.length + 1)
    const length = below(6)
    switch (below(4)) {
      case 0:
        result = result.slice(0, at) + result.slice(at + length)
        break
      case 1:
        result = result.slice(0, at) + oddPieces[below(oddPieces.length)] + result.slice(at)
        break
      case 2:
        result = result.slice(0, at) + String.fromCharCode(below(0x180)) + result.slice(at + 1)
        break
      default:
        result = result.slice(0, at) + result.slice(Math.max(0, at - length * 4))
    }
  }
  return result
}

it(`answers ${rounds} mutated links with a link or LINK_INVALID`, { timeout: 60_000 }, () => {
  const below = numbers(20_260_101)
  const outcomes = { links: 0, refused: 0 }
  for (let i = 0; i < rounds; i++) {
    const text = mutate(samples[i % samples.length]!.link, below)
    try {
      const link = parseLink(text)
      outcomes.links++
      linkToOutbound(link)
      // What was read can be written, unless the form has no place for it; and then it means the same again.
      const written = formatLink({ ...link, experiments: '', mux: false, unknown: {} })
      if (parseLink(written).address !== link.address) throw new Error(`address changed: ${text}`)
    } catch (error) {
      if (!isProxyError(error) || error.code !== 'LINK_INVALID')
        throw new Error(`not ours: ${JSON.stringify(text)}`, { cause: error })
      outcomes.refused++
    }
  }
  // Both kinds must occur often, or the mutations test nothing.
  expect(outcomes.links).toBeGreaterThan(rounds / 20)
  expect(outcomes.refused).toBeGreaterThan(rounds / 20)
})

it('needs no more than linear time for long odd texts', () => {
  const started = performance.now()
  for (const piece of [
    '=',
    '@',
    ':',
    '-1',
    '"',
    ',',
    'a=',
    '&',
    '%',
    '[',
    '#',
    '?ed=1&',
    ' ',
    '1-',
    'n = vmess,',
    '\n',
  ]) {
    const long = piece.repeat(Math.floor(60_000 / piece.length))
    for (const text of [
      long,
      `vmess://${long}`,
      `vmess1://${long}`,
      `vmess://${Buffer.from(long.slice(0, 45_000)).toString('base64')}`,
      `n = vmess, a, 1, ${long}`,
      `vmess://x@h:1?${long}`,
      `vmess://tcp:x-1${long}@h:1`,
    ]) {
      try {
        parseLink(text)
      } catch (error) {
        expect(error).toMatchObject({ code: 'LINK_INVALID' })
      }
    }
  }
  expect(performance.now() - started).toBeLessThan(5000)
})
