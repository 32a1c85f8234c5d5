import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, it } from 'vitest'

const folder = fileURLToPath(new URL('../../dist/cli/', import.meta.url))

/** Loads as dist/vmess.cjs does, and another part when flags have changed as they do while the command runs. */
const program = `
  const { readdirSync } = require('node:fs')
  const { setFlagsFromString } = require('node:v8')
  const { parts, relaxCollector } = require('./bundled.cjs')

  const files = readdirSync('.').filter((file) => file.endsWith('.cjs'))
  const taken = {}
  parts.onCompiled = (file, script) => {
    taken[file.replace(/^.*[/]/, '')] = script.cachedDataRejected === false
  }
  const load = (name) => parts.get(files.find((file) => file.startsWith(name)))
  relaxCollector()
  load('main-').main
  setFlagsFromString('--semi-space-growth-factor=4')
  load('proxy-freedom-').createFreedom
  console.log(JSON.stringify(taken))`

it('takes the code caches that the build made, of parts that are loaded while it runs too', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, ['-e', program], { cwd: folder })
  const taken = Object.entries(JSON.parse(stdout) as Record<string, boolean>)
  const names = taken.map(([file]) => file.replace(/-.{8}\.cjs$/, ''))
  expect(names).toEqual(expect.arrayContaining(['main', 'proxy-freedom']))
  expect(taken.filter(([, is]) => !is)).toEqual([])
})
