import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { writeSite } from '../../../test/interop/rig/nginx.ts'
import { answerOf, layerRig } from '../../../test/support/layer-pair.ts'
import { comparable, nginxAnswers } from '../../../test/support/nginx-answers.ts'
import { strangers, visitors } from '../../../test/support/stranger-requests.ts'
import type { Website } from '../../core/website.ts'
import { httpUpgradeLayer } from '../httpupgrade/layer.ts'
import { webSocketLayer } from '../ws/layer.ts'
import { folderSite } from './folder.ts'
import { plainSite } from './plain.ts'

const shared = { path: '/ray', host: '', servedHost: '', forwarded: true, headers: {} }
const layers = (website: Website) => {
  const { deps } = layerRig({ website })
  return {
    ws: webSocketLayer({ ...shared, heartbeatMs: 0 }, deps),
    httpupgrade: httpUpgradeLayer({ ...shared, fastOpen: false }, deps),
  }
}
const root = mkdtempSync(join(tmpdir(), 'vmess-site-'))
beforeAll(() => writeSite(root))
afterAll(() => rmSync(root, { recursive: true }))

describe('whoever is not for the proxy is answered as Debian’s nginx answers', () => {
  const recorded = nginxAnswers()
  it.each(Object.entries(strangers))('%s', async (name, request) => {
    for (const layer of Object.values(layers(plainSite)))
      expect(comparable(await answerOf(layer, request))).toBe(recorded.strangers[name])
  })

  it.each(Object.entries(visitors))('with files: %s', async (name, request) => {
    const { ws } = layers(folderSite(root))
    expect(comparable(await answerOf(ws, request))).toBe(recorded.visitors[name])
  })

  it('at once, where no more is needed to see that it is no request', async () => {
    for (const begin of ['hello', 'GET x ', 'GET / HTTQ', 'GET / HTTP/3.', 'GET /\r\n', '\x16\x03\x01'])
      expect(await answerOf(layers(plainSite).ws, begin)).toMatch(/^HTTP\/1\.1 (400|505)|^<html>/)
    for (const begin of ['G', 'GET ', 'GET /a?b#c', 'GET http:/', 'GET / HTTP/1', 'GET / HTTP/1.1\r\nA: b\r\n'])
      expect(await answerOf(layers(plainSite).ws, begin)).toBe('')
  })
})

describe('a folder', () => {
  it('gives nothing of what lies outside, by no link and no name', async () => {
    const outside = mkdtempSync(join(tmpdir(), 'vmess-outside-'))
    writeFileSync(join(outside, 'secret'), 'secret')
    symlinkSync(join(outside, 'secret'), join(root, 'link'))
    symlinkSync(outside, join(root, 'door'))
    symlinkSync(join(root, 'a.css'), join(root, 'inner'))
    const ask = (target: string) =>
      answerOf(layers(folderSite(root)).ws, `GET ${target} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`)
    expect(await ask('/link')).toContain('HTTP/1.1 403 Forbidden\r\n')
    expect(await ask('/door/secret')).toContain('HTTP/1.1 403 Forbidden\r\n')
    expect(await ask('/inner')).toContain('HTTP/1.1 200 OK\r\n')
    expect(await ask(`/..%2f..${outside}/secret`)).not.toContain('secret\r')
    rmSync(outside, { recursive: true })
  })

  it('gives a large file whole to a reader who takes his time', async () => {
    const large = Buffer.alloc(1_000_000, 'abcdefg')
    writeFileSync(join(root, 'large.bin'), large)
    const text = await answerOf(
      layers(folderSite(root)).ws,
      'GET /large.bin HTTP/1.1\r\nHost: a\r\n\r\n' + 'GET /a.css HTTP/1.1\r\nHost: a\r\n\r\n',
    )
    expect(text).toContain('Content-Length: 1000000\r\n')
    expect(text.length).toBeGreaterThan(1_000_000)
    expect(text.endsWith('\r\n\r\na{}\n')).toBe(true)
  })

  it('has to be one', () => {
    expect(() => folderSite(join(root, 'nix'))).toThrow('ENOENT')
    expect(() => folderSite(join(root, 'a.css'))).toThrow('is not a folder')
  })
})
