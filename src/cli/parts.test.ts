import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Script } from 'node:vm'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { cacheOf, Parts, sealCache } from './parts.ts'

let base: string
let folder: string
beforeEach(() => {
  base = mkdtempSync(join(tmpdir(), 'vmess-parts-'))
  folder = base
})
afterEach(() => rmSync(base, { recursive: true }))

const part = (name: string, body: string) =>
  writeFileSync(join(folder, name), `(function (exports, require, __filename) {\n${body}\n})`)

/** What it exports, with the scripts that were compiled for it. */
function load(name: string, names: Record<string, string[]> = {}) {
  const parts = new Parts(folder, names, createRequire(import.meta.url))
  const scripts: Script[] = []
  parts.onCompiled = (_, script) => scripts.push(script)
  return { exports: parts.get(name), scripts }
}

/** Whether a loader that comes now takes the cache. */
function takesCache(): boolean {
  const { exports, scripts } = load('main.cjs')
  expect((exports.answer as () => number)()).toBe(42)
  return scripts[0]!.cachedDataRejected === false
}

describe('a code cache beside a part', () => {
  let file: string
  beforeEach(() => {
    part('main.cjs', 'exports.answer = () => 6 * 7')
    const { exports, scripts } = load('main.cjs')
    ;(exports.answer as () => number)()
    // Elsewhere: V8 remembers what it has compiled by name and text, and would not look at the cache of the same file.
    mkdirSync(join(folder, 'copy'))
    copyFileSync(join(folder, 'main.cjs'), join(folder, 'copy/main.cjs'))
    folder = join(folder, 'copy')
    file = cacheOf(join(folder, 'main.cjs'))
    writeFileSync(file, sealCache(scripts[0]!.createCachedData()))
  })

  it('is taken where it fits', () => expect(takesCache()).toBe(true))

  it.each<[string, (cache: Buffer) => Buffer]>([
    ['one bit is another', (cache) => cache.fill(cache[99]! ^ 4, 99, 100)],
    ['its end is missing', (cache) => cache.subarray(0, -20)],
    ['it is empty', (cache) => cache.subarray(0, 0)],
    ['it is of another version of V8', (cache) => sealCache(cache.subarray(32).fill(1, 4, 8))],
  ])('is left alone where %s', (_, change) => {
    writeFileSync(file, change(readFileSync(file)))
    expect(takesCache()).toBe(false)
  })

  it('is left alone where the part is another', () => {
    part('main.cjs', 'exports.answer = () => 40 + 1 + 1')
    expect(takesCache()).toBe(false)
  })
})

describe('parts', () => {
  it('are evaluated when something of them is first read', () => {
    part('main.cjs', "const late = require('./late.cjs')\nexports.now = () => late.value")
    part('late.cjs', "exports.value = 'read'")
    const { exports, scripts } = load('main.cjs', { 'late.cjs': ['value'] })
    expect(scripts.length).toBe(1)
    expect((exports.now as () => string)()).toBe('read')
    expect(scripts.length).toBe(2)
  })

  it('may need each other', () => {
    part('main.cjs', "const late = require('./late.cjs')\nexports.one = 1\nexports.sum = () => late.sum()")
    part('late.cjs', "const main = require('./main.cjs')\nexports.sum = () => main.one + 1")
    const { exports } = load('main.cjs', { 'late.cjs': ['sum'] })
    expect((exports.sum as () => number)()).toBe(2)
  })

  it('are tried again when their evaluation has failed', () => {
    part('main.cjs', "const late = require('./late.cjs')\nexports.now = () => late.value")
    part('late.cjs', "throw new Error('not yet')")
    const { exports } = load('main.cjs', { 'late.cjs': ['value'] })
    expect(exports.now).toThrow('not yet')
    part('late.cjs', "exports.value = 'read'")
    expect((exports.now as () => string)()).toBe('read')
  })

  it('load what Node has when it is first asked', () => {
    part('main.cjs', "const os = require('late:node:os')\nexports.eol = () => os.EOL")
    const { exports } = load('main.cjs', { 'late:node:os': ['EOL'] })
    expect((exports.eol as () => string)()).toMatch(/\n$/)
  })
})
