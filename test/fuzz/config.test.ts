/** Mutated configurations give a result, whatever they are: never an exception, and never more problems than are shown. */
import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { formatProblem, loadConfig, loadConfigValue, type MergeMode } from '../../src/config/load.ts'
import { long } from '../support/long.ts'

const runs = long ? 100_000 : 20_000

/** Numbers from a seed, so that a failure can be repeated. */
function randomFrom(seed: number): (limit: number) => number {
  let state = seed
  return (limit) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return Math.floor((state / 2 ** 32) * limit)
  }
}

const short = [
  '{"inbounds":[{"port":1080,"listen":"127.0.0.1","protocol":"socks","settings":{"udp":true}}],"outbounds":[{"protocol":"freedom"}]}',
  '{"inbounds":[{"port":"1-3","protocol":"vmess","settings":{"clients":[{"id":"hello","alterId":4,"email":"a"}],"detour":{"to":"x"}}}]}',
  '{"outbounds":[{"protocol":"vmess","settings":{"vnext":[{"address":"a.b","port":1,"users":[{"id":"x","security":"none"}]}]}}]}',
  '{"outbound":{"protocol":"vmess","settings":{"address":"::1","port":1,"id":"y"},"streamSettings":{"security":"tls","tlsSettings":{"alpn":"h2"}}}}',
  '{"routing":{"rules":[{"type":"field","ip":["geoip:cn","10.0.0.0/8"],"port":"1,2-3","outboundTag":"d"}]},"log":{"loglevel":"info"}}',
  '{"policy":{"levels":{"0":{"connIdle":5}}},"dns":{"servers":["1.1.1.1",{"address":"a","domains":["regexp:x"]}]},"env":{"A":"1"}}',
  '// a\n{ # b\n "stats": {}, /* c */ "api": {"tag": "t", "services": ["x"]}, "inbounds": [], }',
]

const folder = new URL('../config/examples/', import.meta.url)
const whole = readdirSync(folder).map((name) => readFileSync(new URL(name, folder), 'utf8'))

const snippets = [
  '"',
  '{',
  '}',
  '[',
  ']',
  ',',
  ':',
  '/*',
  '*/',
  '//',
  '#',
  "'",
  '\\',
  '\n',
  'null',
  'true',
  '-1',
  '1e400',
  '0',
  '""',
  '{}',
  '[]',
  '[[',
  '\uFEFF',
  '\u0000',
  'env:',
  'é',
  '\ud800',
  '"__proto__":',
  '"constructor":',
  '{"a":',
  '65536',
]

function mutate(text: string, below: (limit: number) => number): string {
  let result = text
  for (let left = 1 + below(4); left > 0; left--) {
    const at = below(result.length + 1)
    const end = Math.min(result.length, at + below(12))
    const snippet = snippets[below(snippets.length)]!
    const from = below(result.length + 1)
    const piece = result.slice(from, from + below(30))
    const way = below(4)
    result = result.slice(0, at) + (way === 0 ? '' : way === 1 ? snippet : piece) + result.slice(way === 3 ? at : end)
  }
  return result
}

const modes: readonly MergeMode[] = ['v2ray', 'v4', 'v5']

test(`${runs} mutated texts give a result`, { timeout: 60_000 }, () => {
  const below = randomFrom(20240607)
  const counts = { usable: 0, refused: 0, syntax: 0 }
  for (let run = 0; run < runs; run++) {
    const list = run % 200 === 0 ? whole : short
    const texts = [list[below(list.length)]!, ...(run % 7 === 0 ? [short[below(short.length)]!] : [])]
    const sources = texts.map((text, i) => ({ name: `${i}.json`, text: mutate(text, below) }))
    const result = loadConfig(sources, { merge: modes[run % 3]!, strict: run % 11 === 0 })
    if (result.problems.length > 1001) throw new Error(`${result.problems.length} problems`)
    if (run % 20 === 0) for (const problem of result.problems) formatProblem(problem, { color: run % 40 === 0 })
    const failed = result.problems.some(({ severity }) => severity === 'error')
    if (failed === (result.config !== undefined))
      throw new Error(`config and errors disagree: ${JSON.stringify(sources)}`)
    if (result.config) counts.usable++
    else if (result.problems.some(({ code }) => code === 'CFG001')) counts.syntax++
    else counts.refused++
  }
  // The mutations must reach all stages to be worth anything.
  for (const count of Object.values(counts)) expect(count).toBeGreaterThan(runs / 50)
})

const scraps: readonly unknown[] = [
  null,
  undefined,
  0,
  -1,
  1.5,
  Number.NaN,
  '',
  'x',
  true,
  [],
  {},
  [null],
  { a: 1 },
  () => 1,
  Symbol('x'),
  1n,
  new Date(0),
  new Map(),
  new Uint8Array(2),
]

test('values with scraps in any place give a result', () => {
  const below = randomFrom(7)
  const replace = (value: unknown): unknown => {
    if (below(12) === 0) return scraps[below(scraps.length)]
    if (Array.isArray(value)) return value.map(replace)
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, replace(member)]))
  }
  const values = whole.map((text) => JSON.parse(text) as unknown)
  for (let run = 0; run < 2000; run++) {
    const { config, problems } = loadConfigValue(replace(values[below(values.length)]))
    expect(config === undefined).toBe(problems.some(({ severity }) => severity === 'error'))
  }
})

test('hostile texts are answered at once', () => {
  const texts = [
    '['.repeat(200_000),
    '{"a":'.repeat(200_000),
    `{"inbounds":[${'{"port":"1-65535"},'.repeat(5)}{}]}`,
    `{${Array.from({ length: 20_000 }, (_, i) => `"key${i}":1`).join(',')}}`,
    `{"log":{"loglevel":"${'x'.repeat(1_000_000)}"}}`,
    `{"routing":{"rules":[{"domain":["regexp:${'(a*)*'.repeat(1000)}"]}]}}`,
    `${'/*'.repeat(200_000)}`,
    `{"inbounds":[{"port":"${'1,'.repeat(100_000)}1"}]}`,
  ]
  const started = process.cpuUsage()
  for (const text of texts) expect(loadConfig([{ name: 'x', text }]).problems.length).toBeGreaterThan(0)
  expect(process.cpuUsage(started).user / 1e6).toBeLessThan(10)
})
