import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, it } from 'vitest'
import { inbounds, outbounds, transports } from '../src/builtin/kinds.ts'
import { errorCodes } from '../src/core/errors.ts'
import { limits } from '../src/core/limits.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const text = (path: string): string => readFileSync(new URL(`../${path}`, import.meta.url), 'utf8')

const dataPath = [
  'src/proxy/socks/inbound.ts',
  'src/app/flow/dispatch.ts',
  'src/proxy/vmess/outbound.ts',
  'src/transport/stack.ts',
  'src/relay/relay.ts',
]

/** What the dependency rule says of a source tree made of these files. */
function cruise(files: Record<string, string>): string {
  const folder = mkdtempSync(join(tmpdir(), 'vmess-rule-'))
  try {
    writeFileSync(join(folder, 'tsconfig.json'), '{}')
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }')
    for (const [path, source] of Object.entries(files)) {
      mkdirSync(join(folder, path, '..'), { recursive: true })
      writeFileSync(join(folder, path), source)
    }
    const args = [join(root, 'node_modules/.bin/depcruise'), '--config', join(root, '.dependency-cruiser.cjs'), 'src']
    return spawnSync('node', args, { cwd: folder, encoding: 'utf8' }).stdout
  } finally {
    rmSync(folder, { recursive: true })
  }
}

describe('the dependency rule', () => {
  const net = 'export const dial = 1'

  const forbidden = [
    ['a codec that imports a socket', 'src/protocol/vmess/a.ts', `import '../../net/tcp.ts'`, 'protocol-vmess-imports'],
    ['a relay that imports Node', 'src/relay/a.ts', `import 'node:net'`, 'node-only-at-the-edges'],
    ['a proxy that imports another', 'src/proxy/http/a.ts', `import '../socks/b.ts'`, 'proxy-imports'],
    ['crypto outside of crypto', 'src/app/a.ts', `import 'node:crypto'`, 'node-crypto-only-in-crypto'],
    ['core that imports anything', 'src/core/a.ts', `import '../net/tcp.ts'`, 'core-imports'],
    ['an API that everybody pays for', 'src/app/a.ts', `import '../api/b.ts'`, 'services-are-loaded-late'],
  ] as const
  let said = ''
  beforeAll(() => {
    const files = forbidden.map(([, path, source], i) => [path.replace('/a.ts', `/a${i}.ts`), source] as const)
    const good = { 'src/net/tcp.ts': net, 'src/proxy/socks/b.ts': net, 'src/api/b.ts': net }
    said = cruise({ ...good, ...Object.fromEntries(files) })
  })

  it.each(
    forbidden.map(([what, path, , rule], i) => [what, path.replace('/a.ts', `/a${i}.ts`), rule]),
  )('refuses %s', (_what, path, rule) => {
    expect(said).toContain(`error ${rule}: ${path}`)
  })

  it('accepts what keeps to it', () => {
    expect(cruise({ 'src/net/tcp.ts': `import 'node:net'`, 'src/app/a.ts': `import '../net/tcp.ts'` })).toContain(
      'no dependency violations',
    )
  })
})

describe('architecture', () => {
  it.each(dataPath)('%s, of the data path, has at most 120 lines and is named in the docs', (path) => {
    expect(text(path).split('\n').length - 1).toBeLessThanOrEqual(120)
    expect(text('docs/architecture.md')).toContain(`\`${path}\``)
  })

  it('lists kinds in alphabetical order', () => {
    for (const list of [inbounds, outbounds, transports]) {
      const names = list.map((kind) => ('kind' in kind ? kind.kind : kind.name))
      expect(names).toEqual([...names].sort())
    }
    expect(Math.min(inbounds.length, outbounds.length)).toBeGreaterThan(2)
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

  it('keeps every source file at most 250 lines long', () => {
    const walk = (folder: string): string[] =>
      readdirSync(new URL(`../${folder}`, import.meta.url), { withFileTypes: true }).flatMap((entry) =>
        entry.isDirectory() ? walk(`${folder}/${entry.name}`) : [`${folder}/${entry.name}`],
      )
    const long = walk('src').filter(
      (file) => file.endsWith('.ts') && !file.endsWith('.test.ts') && text(file).split('\n').length > 251,
    )
    expect(long, 'files of more than 250 lines').toEqual([])
  })

  it('names only files that exist in its own documentation', () => {
    const named = [...text('docs/architecture.md').matchAll(/`((?:src|test|docs)\/[\w./-]+\.ts)`/g)].map(
      (match) => match[1]!,
    )
    expect(named.filter((file) => !existsSync(new URL(`../${file}`, import.meta.url)))).toEqual([])
  })
})
