/** The example files in V2Ray 5's own format, as far as that can say them. V2Ray 5.52 accepts each (`v2ray test -format jsonv5`). */
import { readdirSync, readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import { loadConfig } from '../../../src/config/load.ts'
import { differences } from '../../convert/differences.ts'

const read = (folder: string, name: string, format: 'v4' | 'jsonv5') => {
  const text = readFileSync(new URL(`${folder}${name}`, import.meta.url), 'utf8')
  const { config, problems } = loadConfig([{ name, text }], { format })
  expect(problems.filter(({ severity }) => severity === 'error')).toEqual([])
  return config
}
const examples = readdirSync(new URL('../examples/', import.meta.url))
const twins = readdirSync(new URL('./twins/', import.meta.url))

test('all are there but the one with ports that move, and the one with SOCKS and HTTP on one port', () => {
  const missing = examples.filter((name) => !twins.includes(name))
  expect(missing).toEqual(['06-dynamic-port.json', '09-xray-forms-client.json'])
})

test.each(twins)('%s', (name) => {
  const first = read('../examples/', name, 'v4')
  expect(differences(first, read('./twins/', name, 'jsonv5'), [])).toEqual([])
})
