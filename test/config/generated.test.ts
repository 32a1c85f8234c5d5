import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { codesText, marker, referenceText } from '../../scripts/config-reference.ts'
import { editorSchemaText } from '../../scripts/editor-schema.ts'
import { problemCodes } from '../../src/config/codes.ts'

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
})
