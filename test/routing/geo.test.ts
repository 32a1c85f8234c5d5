/** Data files, made here: what is read of them, where they are found, and what is said of those that cannot be used. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, it } from 'vitest'
import { AssetFiles, assetDirectories } from '../../src/app/geo/find.ts'
import { AddressSetBuilder, ipOf } from '../../src/routing/addresses.ts'
import { DataFile, type RandomAccess } from '../../src/routing/geo/data-file.ts'
import { GeoLists } from '../../src/routing/geo/lists.ts'
import { NameTable } from '../../src/routing/name-table.ts'
import { regexpTest } from '../../src/routing/regexps.ts'
import { requiredText } from '../../src/routing/required-text.ts'
import vectors from '../vectors/routing.json' with { type: 'json' }
import { bytesFile } from './evaluate.ts'

const geosite = Buffer.from(vectors.files['geosite.dat'], 'base64')
const entriesOf = (file: DataFile, code: string, attributes: string[] = []) => {
  const found: string[] = []
  file.sites(code, attributes, ({ type, value }) => found.push(`${type} ${value}`))
  return found
}

describe('a data file', () => {
  it('is read list by list, and never as a whole', () => {
    const reads: [number, number][] = []
    const counting: RandomAccess = {
      size: geosite.length,
      read(at, length) {
        reads.push([at, length])
        return geosite.subarray(at, at + length)
      },
    }
    const file = new DataFile(counting)
    expect(file.codes).toContain('GEOLOCATION-!CN')
    expect(Math.max(...reads.map(([, length]) => length))).toBeLessThanOrEqual(64)
    reads.length = 0
    expect(entriesOf(file, 'attr', ['ads', 'cn'])).toEqual(['2 both.attr.com'])
    expect(reads).toHaveLength(1)
    expect(reads[0]![1]).toBeLessThan(geosite.length / 2)
  })

  it('may be cut off behind the list that is wanted, and says so of others', () => {
    const cut = new DataFile(bytesFile(geosite.subarray(0, 300)))
    expect(entriesOf(cut, 'TEST')).toHaveLength(4)
    expect(() => entriesOf(cut, 'PRIVATE')).toThrow('it has no list "PRIVATE"')
  })

  it.each([
    ['', 'the file is empty'],
    ['<!DOCTYPE html>', 'this is an HTML page, not a data file: the download went wrong'],
    ['version https://git-lfs', 'this is not a data file: it does not begin with a list'],
  ])('is not %j', (text, message) => {
    expect(() => new DataFile(bytesFile(Buffer.from(text)))).toThrow(message)
  })

  it('is read or refused, whatever is in it', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.nat(geosite.length - 1), fc.nat(255)), { maxLength: 8 }), (changes) => {
        const bytes = Buffer.from(geosite)
        for (const [at, value] of changes) bytes[at] = value
        try {
          const file = new DataFile(bytesFile(bytes))
          for (const code of file.codes) entriesOf(file, code)
        } catch (error) {
          expect((error as Error).constructor.name).toBe('GeoError')
        }
      }),
      { numRuns: 300 },
    )
  })
})

describe('where files are', () => {
  const folder = mkdtempSync(join(tmpdir(), 'vmess-geo-'))
  afterAll(() => rmSync(folder, { recursive: true }))

  it('variables first, ours before the others; then beside the configuration, then where programs share', () => {
    const env = {
      V2RAY_LOCATION_ASSET: '/c',
      'xray.location.asset': '/b',
      VMESS_LOCATION_ASSET: '/a',
      XDG_DATA_HOME: '/x',
    }
    const found = assetDirectories(['/here'], env)
    expect(found.slice(0, 4)).toEqual(['/a', '/b', '/c', '/here'])
    expect(found).toContain('/usr/share/v2ray')
    expect(found).toContain('/usr/local/share/xray')
    expect(found).toContain('/x/v2ray')
  })

  it('opens the first, and names all places where there is none', () => {
    writeFileSync(join(folder, 'geosite.dat'), geosite)
    const files = new AssetFiles(['/nowhere', folder])
    const lists = new GeoLists(files.find)
    const names: string[] = []
    lists.names('geosite.dat', 'LOWERNAME', [], (kind, value) => names.push(`${kind} ${value}`))
    expect(names).toEqual(['domain lowername.com'])
    expect(files.find('geoip.dat')).toBe(
      `geoip.dat was not found. Looked for:\n  /nowhere/geoip.dat\n  ${folder}/geoip.dat\nGet it from https://github.com/v2fly/geoip/releases/latest, or set VMESS_LOCATION_ASSET to its directory.`,
    )
    expect(() => lists.addresses('geoip.dat', 'CN')).toThrow('Looked for:')
    expect(lists.addresses('geoip.dat', 'PRIVATE').has(ipOf('192.168.1.1')!)).toBe(true)
    files.close()
  })
})

describe('sets of addresses', () => {
  it('have what their blocks have, in any order and with any overlap', () => {
    const block = fc.tuple(fc.nat(2 ** 32 - 1), fc.integer({ min: 0, max: 32 }))
    fc.assert(
      fc.property(
        fc.array(block, { maxLength: 20 }),
        fc.array(fc.nat(2 ** 32 - 1), { maxLength: 10 }),
        (blocks, some) => {
          const builder = new AddressSetBuilder()
          const bytesOf = (ip: number) => Uint8Array.of(ip >>> 24, ip >>> 16, ip >>> 8, ip)
          for (const [ip, prefix] of blocks) builder.add(bytesOf(ip), prefix)
          const set = builder.build()
          const cut = (ip: number, prefix: number) => Math.floor(ip / 2 ** (32 - prefix))
          for (const ip of [...some, ...blocks.map(([first]) => first)]) {
            expect(set.has(ip)).toBe(blocks.some(([first, prefix]) => cut(first, prefix) === cut(ip, prefix)))
          }
        },
      ),
    )
  })

  it.each([
    ['2001:db8::/32', ['2001:db8::', '2001:db8:ffff::1'], ['2001:db7:ffff::', '2001:db9::', '10.0.0.1']],
    ['fe80::/10', ['fe80::1', 'febf::1'], ['fec0::', 'fe7f::']],
    ['::1/128', ['::1'], ['::', '::2']],
    ['::/0', ['::', 'ffff::'], ['0.0.0.0']],
  ])('of IPv6: %s', (text, inside, outside) => {
    const [ip = '', prefix] = text.split('/')
    const builder = new AddressSetBuilder()
    const words = ipOf(ip) as Uint32Array
    const bytes = new Uint8Array(16)
    for (const [i, word] of words.entries()) new DataView(bytes.buffer).setUint32(i * 4, word)
    builder.add(bytes, Number(prefix))
    const set = builder.build()
    for (const host of inside) expect(set.has(ipOf(host)!)).toBe(true)
    for (const host of outside) expect(set.has(ipOf(host)!)).toBe(false)
  })
})

describe('names by their endings', () => {
  it('are found as by comparing each', () => {
    const label = fc.constantFrom('a', 'b', 'ab', 'com', 'x')
    const name = fc.array(label, { minLength: 1, maxLength: 4 }).map((labels) => labels.join('.'))
    fc.assert(
      fc.property(fc.uniqueArray(name, { maxLength: 30 }), name, (names, asked) => {
        const table = new NameTable()
        for (const [i, one] of names.entries()) table.set(table.add(one), i)
        const found: number[] = []
        table.endings(asked, (value) => found.push(value))
        const wanted = names.flatMap((one, i) => (asked === one || asked.endsWith(`.${one}`) ? i : []))
        expect(found.sort((a, b) => a - b)).toEqual(wanted)
      }),
    )
  })
})

describe('the text that an expression needs', () => {
  it.each([
    ['^www\\.example\\.com$', 'www.example.com'],
    ['(^|\\.)ads[0-9]+\\.tracker', '.tracker'],
    ['abcd?', 'abc'],
    ['abc+d', 'abc'],
    ['abc{2}def', 'def'],
    ['x[]abc]yyyy', 'yyyy'],
    ['[[:alpha:]]name', 'name'],
    ['abc|def', undefined],
    ['(?i)abcdef', undefined],
    ['\\Qabc\\E', undefined],
    ['\\pLx{0}', undefined],
    ['\\x{61}\\x61\\141rest', 'rest'],
    ['(abc)?', undefined],
    ['ab.cd', undefined],
  ])('%s', (expression, text) => {
    expect(requiredText(expression)).toBe(text)
  })

  it('is in whatever a recorded expression matches', () => {
    for (const { pattern, ok } of vectors.regexp.patterns) {
      const text = ok ? requiredText(pattern) : undefined
      if (text === undefined) continue
      const test = regexpTest(pattern)
      for (const input of vectors.regexp.inputs) expect(test(input) && !input.includes(text)).toBe(false)
    }
  })
})

describe('expressions take time in proportion to the name', () => {
  it.each(['(.*)(.*)(.*)z$', '(a|a)*b', '(a+)+$x', '^(([a-z])+.)+[A-Z]([a-z])+$'])('%s', (text) => {
    // Billions of steps for an engine that tries one way after the other.
    expect(regexpTest(text)('a'.repeat(253))).toBe(false)
  })
})
