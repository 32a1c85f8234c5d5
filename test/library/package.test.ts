import { execFile } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { publint } from 'publint'
import { describe, expect, it } from 'vitest'

const root = fileURLToPath(new URL('../..', import.meta.url))
const manifest = JSON.parse(readFileSync(`${root}/package.json`, 'utf8')) as {
  exports: Record<string, string | { types: string; default: string }>
  dependencies: Record<string, string>
  devDependencies: Record<string, string>
}

describe('the package', () => {
  it('passes the packaging linter', async () => {
    const { messages } = await publint({ pkgDir: root, level: 'warning', strict: true, pack: false })
    expect(messages).toEqual([])
  })

  it.each(Object.keys(manifest.exports))('gives what "%s" promises to a program that imports it', async (path) => {
    const name = `vmess${path.slice(1)}`
    const json = path.endsWith('.json') ? ", { with: { type: 'json' } }" : ''
    const program = `const it = await import('${name}'${json}); process.stdout.write(Object.keys(it).sort().join(' '))`
    const { stdout } = await promisify(execFile)('node', ['--no-warnings', '--input-type=module', '-e', program], {
      cwd: root,
    })
    const wanted: Record<string, string> = {
      '.': 'connect createServer openPackets packetSocket parseLink ProxyError',
      './protocol': 'ClientSession ServerSession UserDirectory',
      './testing': 'connSuite fakeClock memoryPair',
    }
    for (const word of (wanted[path] ?? 'default').split(' ')) expect(stdout.split(' ')).toContain(word)
  })

  it('pins every dependency', () => {
    for (const version of Object.values({ ...manifest.dependencies, ...manifest.devDependencies }))
      expect(version).toMatch(/^\d/)
  })
})
