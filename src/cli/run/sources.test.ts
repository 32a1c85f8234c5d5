import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { readSources, type SourceFlags } from './sources.ts'

let folder: string
let said: string[]

beforeEach(() => {
  said = []
  folder = mkdtempSync(join(tmpdir(), 'vmess-sources-'))
  for (const name of ['empty', 'here', 'home', 'conf/inner', 'other', 'config'])
    mkdirSync(join(folder, name), { recursive: true })
  for (const name of [
    'a.json',
    'b.json',
    'conf/02.json',
    'conf/01.jsonc',
    'conf/10.JSON',
    'conf/notes.txt',
    'conf/inner/x.json',
  ]) {
    writeFileSync(join(folder, name), name)
  }
  writeFileSync(join(folder, 'other/o.json'), 'other')
  writeFileSync(join(folder, 'config/config.json'), 'from config')
})
afterEach(() => rmSync(folder, { recursive: true }))

const read = (flags: SourceFlags, over: { env?: Record<string, string>; cwd?: string; input?: string } = {}) =>
  readSources(flags, {
    env: over.env ?? {},
    cwd: over.cwd ?? join(folder, 'empty'),
    home: join(folder, 'home'),
    readInput: async () => over.input,
    err: (text) => void said.push(text),
  })
const texts = async (...args: Parameters<typeof read>) => (await read(...args)).map(({ text }) => text)
const at = (name: string) => join(folder, name)

describe('which files are read', () => {
  it('every -config in the order given, then the directory by name', async () => {
    const flags = { confdir: [at('conf')], config: [at('b.json'), at('a.json')] }
    expect(await texts(flags)).toEqual(['b.json', 'a.json', 'conf/01.jsonc', 'conf/02.json', 'conf/10.JSON'])
  })

  it('relative to the working directory, under the name that was given', async () => {
    expect(await read({ config: ['a.json'] }, { cwd: folder })).toEqual([{ name: 'a.json', text: 'a.json' }])
  })

  it('directories inside only with -recursive', async () => {
    expect(await texts({ confdir: [at('conf')], recursive: true })).toContain('conf/inner/x.json')
  })

  it.each([
    'VMESS_LOCATION_CONFDIR',
    'XRAY_LOCATION_CONFDIR',
    'V2RAY_LOCATION_CONFDIR',
    'v2ray.location.confdir',
    'xray.location.confdir',
  ])('the directory of %s, unless -confdir gives one that exists', async (name) => {
    const env = { [name]: at('other') }
    expect(await texts({}, { env })).toEqual(['other'])
    expect(await texts({ config: [at('a.json')] }, { env })).toEqual(['a.json', 'other'])
    expect(await texts({ confdir: [at('nowhere')] }, { env })).toEqual(['other'])
    expect(await texts({ confdir: [at('conf')] }, { env })).not.toContain('other')
  })

  it('config.json here, then in the directory of the environment, then beside the program, then standard input', async () => {
    const env = { XRAY_LOCATION_CONFIG: at('config') }
    expect(await texts({}, { input: 'from stdin' })).toEqual(['from stdin'])
    writeFileSync(at('home/config.json'), 'from home')
    expect(await texts({}, { input: 'from stdin' })).toEqual(['from home'])
    expect(await texts({}, { env })).toEqual(['from config'])
    writeFileSync(at('here/config.json'), 'from here')
    expect(await texts({}, { env, cwd: at('here') })).toEqual(['from here'])
  })

  it('standard input as "stdin:"', async () => {
    expect(await read({ config: ['stdin:'] }, { input: '{}' })).toEqual([{ name: 'stdin', text: '{}' }])
  })

  it('what an http server answers', async () => {
    const server = createServer((request, response) => {
      response.statusCode = request.url?.startsWith('/ok') ? 200 : 404
      response.end('{"from":"http"}')
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    try {
      expect(await read({ config: [`${base}/ok.json?token=secret`] })).toEqual([
        { name: `${base}/ok.json`, text: '{"from":"http"}' },
      ])
      await expect(read({ config: [`${base}/gone?token=secret`] })).rejects.toThrow(
        `${base}: the configuration was answered with status 404`,
      )
    } finally {
      server.close()
      server.closeAllConnections()
    }
    await expect(read({ config: [`${base}/ok`] })).rejects.toThrow('could not be fetched')
  })
})

describe('an unknown extension', () => {
  it('is said, and the content taken as JSON', async () => {
    expect(await texts({ config: [at('conf/notes.txt')] })).toEqual(['conf/notes.txt'])
    expect(said).toHaveLength(1)
    expect(said[0]).toContain(`${at('conf/notes.txt')}: the extension ".txt" is unknown`)
  })

  it('is nothing to say about with -format json, nor is a name without one', async () => {
    writeFileSync(at('plain'), '{}')
    await read({ config: [at('conf/notes.txt')], format: 'json' })
    await read({ config: [at('plain'), at('a.json'), at('conf/01.jsonc'), at('conf/10.JSON')] })
    expect(said).toEqual([])
  })
})

describe('what cannot be read', () => {
  it.each([
    [{ config: ['missing.json'] }, 23, 'missing.json: there is no such file'],
    [{ config: ['.'] }, 23, '-confdir'],
    [{ config: ['a.pb'] }, 23, 'a.pb: protobuf configurations are not supported, convert it to JSON'],
    [{ config: ['http+unix:///run/a.sock/path'] }, 23, 'http+unix: addresses are not supported'],
    [{ confdir: ['/no/such/directory'] }, 23, 'no such directory'],
    [{ config: ['stdin:'] }, 23, 'terminal'],
    [{ format: 'pb' }, 2, 'protobuf'],
    [{ format: 'xml' }, 2, 'jsonv5'],
  ])('%j ends with %i', async (flags, exitCode, words) => {
    const failure = await read(flags).catch((error: unknown) => error)
    expect(failure).toMatchObject({ exitCode, message: expect.stringContaining(words) })
  })

  it('with nothing at all, says where it has looked and what to do', async () => {
    const failure = await read({}, { input: '\n' }).catch((error: unknown) => error)
    expect(failure).toMatchObject({ exitCode: 23 })
    for (const words of [at('empty/config.json'), at('home/config.json'), 'standard input', 'vmess start']) {
      expect(String(failure)).toContain(words)
    }
  })
})
