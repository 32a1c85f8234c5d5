import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import type { Terminal } from '../process/terminal.ts'
import { type ConvertFlags, convert } from './convert.ts'

const folder = mkdtempSync(join(tmpdir(), 'vmess-convert-'))
afterAll(() => rmSync(folder, { recursive: true }))
const id = '5783a3e7-e373-51cd-8642-c83782b807c5'
const link = `vmess://${id}@a.example:443?type=ws&path=%2Fray&security=tls#one`

async function asked(text: string | undefined, flags: ConvertFlags, input?: string) {
  const out: string[] = []
  const err: string[] = []
  const terminal: Terminal = {
    out: (line) => void out.push(line),
    err: (line) => void err.push(line),
    log() {},
    command: 'vmess',
    env: {},
    cwd: folder,
    errColor: false,
    readInput: async () => input,
  }
  const code = await convert(text, flags, terminal)
  return { code, out: out.join('\n'), err: err.join('\n') }
}

const write = (name: string, text: string): string => {
  writeFileSync(join(folder, name), text)
  return name
}

it('writes a link as an entry of Clash, in YAML, and reads that again without being told what it is', async () => {
  const { code, out, err } = await asked(link, { to: 'clash' })
  expect({ code, err }).toEqual({ code: 0, err: '' })
  expect(out).toBe(`proxies:
  - name: one
    type: vmess
    server: a.example
    port: 443
    uuid: ${id}
    alterId: 0
    cipher: auto
    udp: true
    global-padding: true
    tls: true
    network: ws
    ws-opts:
      path: /ray`)
  const back = await asked('-', { to: 'sing-box' }, out)
  expect(JSON.parse(back.out)).toMatchObject({ outbounds: [{ tag: 'one', transport: { type: 'ws', path: '/ray' } }] })
})

it('writes a file in V2Ray 5’s own format, and says what stays behind', async () => {
  const outbounds = [{ protocol: 'freedom', settings: { finalRules: [{ action: 'allow' }] } }]
  const inbounds = [{ listen: '127.0.0.1', port: 1, protocol: 'socks' }]
  const file = write('config.json', JSON.stringify({ inbounds, outbounds }))
  const { code, out, err } = await asked(file, { to: 'jsonv5' })
  expect(code).toBe(0)
  expect(JSON.parse(out).outbounds).toEqual([{ protocol: 'freedom' }])
  expect(err).toBe(
    'not carried over: outbounds[0].settings.finalRules: [{"action":"allow"}]: V2Ray 5’s own format has no place for it',
  )
})

it('shows the errors of a file as they are shown elsewhere', async () => {
  const file = write('bad.json', '{"inbounds": [{"port": "x"}]}')
  await expect(asked(file, { to: 'v5' })).rejects.toThrow('Not converted.')
})

it.each([
  [{}, '-to is missing; write one of v4, v5, xray, sing-box, clash, link'],
  [{ to: 'surge' }, '-to surge: unknown; write v4, v5, xray, sing-box, clash, link'],
  [{ to: 'v4', from: 'surge' }, '-from surge: unknown'],
])('refuses %j', async (flags, message) => {
  await expect(asked(link, flags)).rejects.toThrow(message)
})

it('says when nothing is left', async () => {
  const file = write('direct.json', '{"outbounds": [{"protocol": "freedom"}]}')
  await expect(asked(file, { to: 'link' })).rejects.toThrow('There is nothing in it that this form can hold.')
})
