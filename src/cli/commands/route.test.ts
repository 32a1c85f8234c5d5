import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, describe, expect, it } from 'vitest'
import type { Terminal } from '../process/terminal.ts'
import { type RouteFlags, route } from './route.ts'

const folder = mkdtempSync(join(tmpdir(), 'vmess-route-'))
afterAll(() => rmSync(folder, { recursive: true }))
const file = join(folder, 'config.json')
writeFileSync(
  file,
  JSON.stringify({
    inbounds: [{ tag: 'in', protocol: 'socks', listen: '127.0.0.1', port: 1080 }],
    outbounds: [
      { tag: 'direct', protocol: 'freedom' },
      { tag: 'block', protocol: 'blackhole' },
    ],
    routing: {
      domainStrategy: 'IPIfNonMatch',
      rules: [
        { domain: ['domain:ads.example'], outboundTag: 'block', ruleTag: 'ads' },
        { port: 25, source: ['192.0.2.0/24'], outboundTag: 'block' },
        { network: 'udp', inboundTag: ['in'], outboundTag: 'nowhere' },
        { ip: ['geoip:private'], outboundTag: 'block' },
      ],
    },
  }),
)

async function asked(flags: RouteFlags): Promise<string> {
  const lines: string[] = []
  const terminal: Terminal = {
    out: (text) => void lines.push(text),
    err() {},
    log() {},
    command: 'vmess',
    env: {},
    cwd: folder,
    errColor: false,
    readInput: async () => undefined,
  }
  expect(await route({ config: [file], ...flags }, terminal)).toBe(0)
  return lines.join('\n')
}

describe('route', () => {
  it('names the rule and why the ones in front of it do not hold', async () => {
    expect(await asked({ to: '10.0.0.1:443' })).toBe(`tcp 10.0.0.1:443 goes to "block"
  ads  no: domain (10.0.0.1 is an address)
  #2   no: port 443
  #3   no: network tcp
  #4   yes: routing.rules[3]`)
    expect(await asked({ to: 'x.ads.example:443' })).toBe(`tcp x.ads.example:443 goes to "block"
  ads  yes: routing.rules[0]`)
    expect(await asked({ to: '192.0.2.9:25', from: '192.0.2.1' })).toContain('#2   yes: routing.rules[1]')
  })

  it('says what is blocked because it leads nowhere, and what no rule takes', async () => {
    expect(await asked({ to: '192.0.2.9:53', network: 'udp' })).toContain(
      '"nowhere", which does not exist: it is blocked',
    )
    expect(await asked({ to: '8.8.8.8:443' })).toContain('goes to the first outbound, "direct"')
  })

  it('prints JSON', async () => {
    const text = await asked({ to: 'localhost:80', json: true })
    expect(JSON.parse(text)).toMatchObject({
      rule: '#4',
      outbound: 'block',
      blocked: false,
      passed: [{ name: 'ads', key: 'domain' }, { key: 'port' }, { key: 'network' }],
    })
    expect(JSON.parse(text).resolved).toContain('127.0.0.1')
  })

  it.each([
    [{}, '-to is missing'],
    [{ to: 'example.com' }, 'and a port'],
    [{ to: 'a:1', network: 'sctp' }, '-network sctp'],
    [{ to: 'a:1', from: 'name' }, '-from name'],
  ])('%j is refused', async (flags, message) => {
    await expect(asked(flags)).rejects.toThrow(message)
  })
})
