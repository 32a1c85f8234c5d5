/** Whole files in the formats that hold whole files: what comes back means the same, but for what is said to stay behind. */
import { describe, expect, test } from 'vitest'
import { convert, type Form } from '../../src/config/convert/convert.ts'
import { loadConfig, type SourceText } from '../../src/config/load.ts'
import { examples, strangers } from './corpus.ts'
import { differences } from './differences.ts'

/** Paths of what stays behind, and of where the results differ: none where nothing is written. */
interface Expected {
  readonly lost: readonly string[]
  readonly differ: readonly string[]
}
const finalRules = { lost: ['outbounds[0].settings.finalRules'], differ: ['outbounds.0.settings.finalRules'] }
const mixed = { lost: ['inbounds[0].protocol'], differ: ['inbounds.0.protocol'] }
const noReverse = { lost: ['reverse'], differ: ['reverse'] }

const expected: Partial<Record<Form, Readonly<Record<string, Expected>>>> = {
  v4: {
    '09-xray-forms-client.json': mixed,
    'final.json': finalRules,
  },
  v5: {
    '06-dynamic-port.json': { lost: ['inbounds[1].allocate'], differ: ['inbounds.1.allocate'] },
    '09-xray-forms-client.json': mixed,
    'final.json': finalRules,
  },
  xray: {
    '03-websocket-behind-nginx-client.json': { lost: [], differ: ['outbounds.0.stream.transport.servedHost'] },
    '03-websocket-behind-nginx-server.json': {
      lost: ['inbounds[0].settings.disableInsecureEncryption'],
      differ: ['inbounds.0.settings.disableInsecureEncryption'],
    },
    '05-legacy-alterid-client.json': { lost: ['outbounds[0]'], differ: ['outbounds.0'] },
    '05-legacy-alterid-server.json': { lost: ['inbounds[0]'], differ: ['inbounds.0'] },
    '06-dynamic-port.json': {
      lost: ['inbounds[0]', 'inbounds[0].settings.default', 'inbounds[0].allocate'],
      differ: ['inbounds.0', 'inbounds.1'],
    },
    'bridge.json': noReverse,
    'portal.json': noReverse,
  },
}

const readable = [...examples, ...strangers].filter(({ name }) => name !== 'netempty.json')

describe.each(['v4', 'v5', 'xray'] as const)('in the form %s', (to) => {
  test.each(readable.map((source): [string, SourceText] => [source.name, source]))('%s', (name, source) => {
    const { value, lost } = convert([source], { to })
    const format = to === 'v5' ? 'jsonv5' : 'v4'
    const again = loadConfig([{ name: 'converted', text: JSON.stringify(value) }], { format })
    expect(again.problems.filter(({ severity }) => severity === 'error')).toEqual([])
    const first = loadConfig([source])
    const { lost: said, differ } = expected[to]?.[name] ?? { lost: [], differ: [] }
    expect(lost.map(({ path }) => path)).toEqual(said)
    expect(differences(first.config, again.config, differ)).toEqual(differ)
  })
})

test('a file with an error is not converted, and the error is told', () => {
  const bad = strangers.filter(({ name }) => name === 'netempty.json')
  const { value, problems } = convert(bad, { to: 'xray' })
  expect(value).toBeUndefined()
  expect(problems.map(({ code }) => code)).toContain('CFG100')
})
