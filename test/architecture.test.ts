import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { errorCodes } from '../src/core/errors.ts'
import { limits } from '../src/core/limits.ts'

const text = (path: string): string => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8')

const dataPath = [
  'src/proxy/socks/inbound.ts',
  'src/app/dispatch.ts',
  'src/proxy/vmess/outbound.ts',
  'src/transport/stack.ts',
  'src/relay/relay.ts',
]

describe('architecture', () => {
  it.each(dataPath)('%s, of the data path, has at most 120 lines and is named in the docs', (path) => {
    expect(text(path).split('\n').length - 1).toBeLessThanOrEqual(120)
    expect(text('docs/architecture.md')).toContain(`\`${path}\``)
  })

  it('lists kinds in alphabetical order', () => {
    const source = text('src/app/builtin.ts')
    for (const list of ['inbounds', 'outbounds']) {
      const body = source.slice(source.indexOf(`export const ${list}`))
      const kinds = [...body.slice(0, body.indexOf('\n}\n')).matchAll(/^ {2}'?([\w-]+)'?: \(/gm)].map(
        (match) => match[1]!,
      )
      expect(kinds.length).toBeGreaterThan(2)
      expect(kinds).toEqual([...kinds].sort())
    }
  })

  it('documents every error code, and only those', () => {
    const documented = [...text('docs/errors.md').matchAll(/^\| `([A-Z_]+)` \| (\w+) \| (.*) \|$/gm)]
    const found = Object.fromEntries(documented.map(([, code, fault, meaning]) => [code, { fault, text: meaning }]))
    expect(found).toEqual(errorCodes)
    expect(documented.map((row) => row[1])).toEqual(Object.keys(errorCodes).sort())
  })

  it('documents every limit with its default, and only those', () => {
    const documented = [...text('docs/limits.md').matchAll(/^\| `(\w+)` \| (\d+)/gm)].map((row) => [
      row[1],
      Number(row[2]),
    ])
    expect(Object.fromEntries(documented)).toEqual(limits)
  })

  it('keeps every source file under 300 lines', () => {
    const walk = (folder: string): string[] =>
      readdirSync(new URL(`../${folder}`, import.meta.url), { withFileTypes: true }).flatMap((entry) =>
        entry.isDirectory() ? walk(`${folder}/${entry.name}`) : [`${folder}/${entry.name}`],
      )
    const long = walk('src').filter(
      (file) => file.endsWith('.ts') && !file.endsWith('.test.ts') && text(file).split('\n').length > 301,
    )
    expect(long, 'files of more than 300 lines').toEqual([])
  })

  it('names only files that exist in its own documentation', () => {
    const named = [...text('docs/architecture.md').matchAll(/`((?:src|test|docs)\/[\w./-]+\.ts)`/g)].map(
      (match) => match[1]!,
    )
    expect(named.filter((file) => !existsSync(new URL(`../${file}`, import.meta.url)))).toEqual([])
  })
})
