import { readFileSync } from 'node:fs'
import { createConfig, lintFromString } from '@redocly/openapi-core'
import { expect, it } from 'vitest'
import { openApiDocument } from '../../src/api/http/document.ts'
import { createHttpApi } from '../../src/api/http/server.ts'
import { silentLogger } from '../../src/core/env.ts'
import { fakeClock } from '../../src/testing/fakes.ts'
import { fakeControl, type Json, startApi, token } from './http-tools.ts'

const { app } = await createHttpApi({ control: fakeControl(), token, clock: fakeClock(0), log: silentLogger })
const document: Json = JSON.parse(JSON.stringify(openApiDocument(app)))

const operations = Object.entries<Json>(document.paths).flatMap(([path, item]) =>
  Object.entries<Json>(item).map(([method, operation]) => ({ method, path, operation })),
)

it('schema/openapi.json is fresh (else: npx vitest run test/api/http-openapi.test.ts -u)', async () => {
  await expect(`${JSON.stringify(document, null, 2)}\n`).toMatchFileSnapshot('../../schema/openapi.json')
})

it('is what the API itself serves, to anybody, without data of the instance', async () => {
  const api = await startApi()
  const served = await (await fetch(`${api.url}/openapi.json`)).json()
  await api.close()
  expect(served).toEqual(document)
  expect(JSON.stringify(served)).not.toContain(token)
})

it('has every route of the app, and no other', () => {
  const routes = app.routes
    .filter(({ method, path }) => method !== 'ALL' && path !== '/openapi.json')
    .map(({ method, path }) => `${method.toLowerCase()} ${path.replace(/:(\w+)/g, '{$1}')}`)
  expect(routes.length).toBeGreaterThan(15)
  const described = operations.map(({ method, path }) => `${method} ${path}`)
  expect([...described].sort()).toEqual([...new Set(routes)].sort())
})

it('refers only to what it defines', () => {
  const text = JSON.stringify(document)
  const refs = [...text.matchAll(/"\$ref":"#\/([^"]+)"/g)].map((match) => match[1]!)
  expect(refs.length).toBeGreaterThan(20)
  for (const ref of refs) {
    expect(
      ref.split('/').reduce((at: Json, key) => at?.[key], document),
      ref,
    ).toBeTypeOf('object')
  }
  const schemes = Object.keys(document.components.securitySchemes)
  for (const { operation } of operations) {
    for (const choice of operation.security ?? []) expect(schemes).toEqual(expect.arrayContaining(Object.keys(choice)))
  }
})

it('describes what every operation takes and answers', () => {
  expect(document.openapi).toBe('3.1.0')
  for (const { method, path, operation } of operations) {
    const where = `${method} ${path}`
    expect(operation.summary, where).toBeTypeOf('string')
    const inPath = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1])
    const parameters = (operation.parameters ?? []).filter((parameter: Json) => parameter.in === 'path')
    expect(parameters.map(({ name, required }: Json) => [name, required])).toEqual(inPath.map((name) => [name, true]))
    for (const [status, { description, content }] of Object.entries<Json>(operation.responses)) {
      expect(description, `${where} ${status}`).toBeTypeOf('string')
      expect(Object.keys(content), `${where} ${status}`).toHaveLength(1)
    }
    const open = path === '/health' || path === '/ready'
    expect((operation.security ?? []).length === 0, where).toBe(open)
    if (open) continue
    for (const status of ['401', '429']) {
      expect(operation.responses[status].content['application/json'].schema.$ref).toBe('#/components/schemas/Error')
    }
  }
})

it('passes the recommended rules of a linter, and every operation has an id of its own', async () => {
  const config = await createConfig({ extends: ['recommended'] })
  const found = await lintFromString({ source: JSON.stringify(document), config })
  expect(found.map(({ ruleId, message, location }) => `${ruleId}: ${message} ${location[0]?.pointer}`)).toEqual([])
  const ids = operations.map(({ operation }) => operation.operationId)
  expect(ids.every((id) => /^[a-z][A-Za-z]+$/.test(id))).toBe(true)
  expect(new Set(ids).size).toBe(ids.length)
})

it('says the units, and refuses unknown fields as the API does', () => {
  const { LimitsInput, NewUser, UserChange, Limits } = document.components.schemas
  for (const schema of [LimitsInput, NewUser, UserChange]) expect(schema.additionalProperties).toBe(false)
  expect(LimitsInput.properties.uplink).toMatchObject({ type: ['number', 'string', 'null'], example: '5 MB/s' })
  expect(Limits.properties.uplink.description).toMatch(/bytes per second/)
  expect(NewUser.required).toEqual(['inbound', 'email'])
})

it('is documented route by route', () => {
  const docs = readFileSync(new URL('../../docs/control-api.md', import.meta.url), 'utf8')
  const documented = [...docs.matchAll(/^\| `(GET|POST|PATCH|DELETE) ([^`?]+)/gm)].map(([, m, p]) => `${m} ${p}`)
  const described = operations.map(({ method, path }) => `${method.toUpperCase()} ${path}`)
  expect([...documented].sort()).toEqual([...described, 'GET /openapi.json'].sort())
})
