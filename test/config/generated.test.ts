import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { codesText, marker, referenceText } from '../../scripts/config-reference.ts'
import { editorSchemaText } from '../../scripts/editor-schema.ts'
import { problemCodes } from '../../src/schema/codes.ts'

const reference = new URL('../../docs/config.md', import.meta.url)

describe('files made from the schemas are fresh (else: npx vitest run test/config/generated.test.ts -u)', () => {
  test('schema/vmess.schema.json', async () => {
    await expect(editorSchemaText()).toMatchFileSnapshot('../../schema/vmess.schema.json')
  })

  test('docs/config.md', async () => {
    expect(existsSync(reference)).toBe(true)
    const current = readFileSync(reference, 'utf8')
    expect(current).toContain(marker)
    await expect(referenceText(current)).toMatchFileSnapshot('../../docs/config.md')
  })

  test('docs/config-errors.md', async () => {
    await expect(codesText()).toMatchFileSnapshot('../../docs/config-errors.md')
  })
})

test('every code is used', () => {
  const root = new URL('../../src/', import.meta.url)
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter(
    (name) => name.endsWith('.ts') && !name.endsWith('.test.ts') && !name.endsWith('codes.ts'),
  )
  const code = files.map((name) => readFileSync(new URL(name, root), 'utf8')).join('\n')
  expect(Object.keys(problemCodes).filter((name) => !code.includes(`'${name}'`))).toEqual([])
})

describe('the schema', () => {
  const schema = JSON.parse(editorSchemaText())

  test('knows the settings of every protocol', () => {
    expect(schema.definitions['inbound-vmess'].properties.clients.type).toBe('array')
    expect(schema.definitions['outbound-vmess'].properties.vnext.items.properties.port).toMatchObject({
      maximum: 65535,
    })
    const branch = schema.definitions.inbound.allOf.find(
      (rule: { if: { properties: { protocol: { enum: string[] } } } }) =>
        rule.if.properties.protocol.enum.includes('tunnel'),
    )
    expect(branch.then.properties.settings.$ref).toBe('#/definitions/inbound-dokodemo-door')
  })

  test('refers only to what it defines', () => {
    const names = [...editorSchemaText().matchAll(/#\/definitions\/([\w-]+)/g)].map((match) => match[1]!)
    expect(names.length).toBeGreaterThan(8)
    expect(names.filter((name) => !(name in schema.definitions))).toEqual([])
  })

  test('says what has no effect', () => {
    const { fingerprint } = schema.definitions.tlsSettings.properties
    expect(fingerprint.deprecated).toBe(true)
    expect(fingerprint.description).toContain('No effect')
  })

  test('gives examples of what has a syntax of its own', () => {
    const { control, accounting } = schema.properties
    expect(control.properties.listen.examples).toEqual(['127.0.0.1:9010'])
    expect(accounting.examples).toEqual(['usage.db'])
    const client = schema.definitions['inbound-vmess'].properties.clients.items.anyOf[0]
    const { uplink, downlink, quota, expires } = client.properties.limits.properties
    expect([uplink.examples[0], downlink.examples[0]]).toEqual(['40 Mbit/s', '40 Mbit/s'])
    expect([quota.examples, expires.examples]).toEqual([['100 GB'], ['2026-12-31']])
  })

  test('asks for what the loader asks for in the parts of our own', () => {
    const { control, accounting } = schema.properties
    expect(control.required).toEqual(['token'])
    expect(control.additionalProperties).toBe(false)
    const [path, store, off] = accounting.anyOf
    expect([path.type, store.required]).toEqual(['string', ['path']])
    expect(off).toMatchObject({ type: 'boolean', const: false })
  })
})
