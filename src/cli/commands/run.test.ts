import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Terminal } from '../process/terminal.ts'
import { type RunFlags, run } from './run.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'vmess-run-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const fixture = (name: string) => fileURLToPath(new URL(`../../../test/fixtures/${name}`, import.meta.url))
const pair = { certificateFile: fixture('localhost.crt'), keyFile: fixture('localhost.key') }

/** Checks a SOCKS inbound over TLS with this certificate. */
async function check(certificate: object, flags: RunFlags = {}) {
  const out: string[] = []
  const err: string[] = []
  const terminal: Terminal = {
    out: (text) => void out.push(text),
    err: (text) => void err.push(text),
    env: {},
    cwd: folder,
    log: (text) => void err.push(text),
    command: 'vmess',
    errColor: false,
    readInput: async () => undefined,
  }
  const streamSettings = { security: 'tls', tlsSettings: { certificates: [certificate] } }
  const inbound = { listen: '127.0.0.1', port: 1080, protocol: 'socks', unheardOf: 1, streamSettings }
  const config = { inbounds: [inbound], outbounds: [{ protocol: 'freedom' }] }
  writeFileSync(join(folder, 'config.json'), JSON.stringify(config))
  const ended = await run({ ...flags, test: true }, terminal).catch((error: unknown) => error)
  return { ended, out: out.join('\n'), err: err.join('\n') }
}

describe('-test reads certificate files', () => {
  it.each([
    ['certificateFile', '/no/such.pem', 'the file does not exist'],
    ['keyFile', fixture('localhost.crt'), 'is not the private key of that certificate'],
  ])('%s %s: %s', async (field, path, words) => {
    const { ended, out, err } = await check({ ...pair, [field]: path })
    expect(ended).toMatchObject({ exitCode: 23 })
    expect(out).not.toContain('OK')
    expect(err).toContain('[CFG109]')
    expect(err).toContain(`inbounds[0].streamSettings.tlsSettings.certificates[0].${field}`)
    expect(err).toContain(path)
    expect(err).toContain(words)
    expect(err).toContain('unheardOf')
  })

  it('with -json, the error comes before the warnings', async () => {
    const { ended, out } = await check({ ...pair, keyFile: '/no/such.key' }, { json: true })
    expect(ended).toBe(23)
    const result = JSON.parse(out) as { ok: boolean; problems: { code: string; severity: string; line: number }[] }
    expect(result.ok).toBe(false)
    expect(result.problems.map(({ code, severity }) => [code, severity])).toEqual([
      ['CFG109', 'error'],
      ['CFG020', 'warning'],
    ])
    expect(result.problems[0]!.line).toBe(1)
  })

  it('and is content with good ones', async () => {
    const { ended, out } = await check(pair)
    expect(ended).toBe(0)
    expect(out).toContain('Configuration OK.')
  })
})
