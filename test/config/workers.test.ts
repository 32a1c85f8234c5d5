import { describe, expect, it } from 'vitest'
import { loadConfig } from '../../src/config/load.ts'
import { limits } from '../../src/core/limits.ts'

const id = '27848739-7e62-4138-9fd3-098a63964b6b'
const vmess = { listen: '127.0.0.1', port: 1000, protocol: 'vmess', settings: { clients: [{ id }] } }
const sniffing = { ...vmess, sniffing: { enabled: true, destOverride: ['fakedns'] } }
const direct = { protocol: 'freedom', tag: 'direct' }

const load = (root: object, workers?: number | 'auto') =>
  loadConfig([{ name: 'a.json', text: JSON.stringify({ inbounds: [vmess], outbounds: [direct], ...root }) }], {
    workers,
  })

const said = (root: object, code: string) =>
  load(root)
    .problems.filter((problem) => problem.code === code)
    .map(({ severity, message }) => `${severity}: ${message}`)

describe('workers', () => {
  it('is one unless it is written, and a flag wins', () => {
    expect(load({}).config?.workers).toBe(1)
    expect(load({ workers: 3 }).config?.workers).toBe(3)
    expect(load({ workers: 'auto' }).config?.workers).toBe('auto')
    expect(load({ workers: 3 }, 2).config?.workers).toBe(2)
    expect(load({ workers: 3 }, 'auto').config?.workers).toBe('auto')
  })

  it.each([0, -1, limits.workers + 1, 1.5, 'many', true])('cannot be %j', (workers) => {
    const { config, problems } = load({ workers })
    expect(config).toBeUndefined()
    expect(problems.find(({ severity }) => severity === 'error')).toMatchObject({ path: 'workers' })
  })

  it.each([
    ['reverse', { reverse: { portals: [{ tag: 'p', domain: 'p.example' }] } }],
    ['observatory', { observatory: { subjectSelector: ['direct'] } }],
    ['burstObservatory', { burstObservatory: { subjectSelector: ['direct'] } }],
    [
      'fakedns',
      { fakedns: { ipPool: '198.18.0.0/16', poolSize: 100 }, dns: { servers: ['fakedns'] }, inbounds: [sniffing] },
    ],
  ])('with %s there is one: a number is an error, auto means one', (key, part) => {
    expect(load(part).config).toBeDefined()
    expect(said(part, 'CFG144')).toEqual([])
    const [error] = said({ ...part, workers: 2 }, 'CFG144')
    expect(error).toMatch(/^error: /)
    expect(error).toContain(`"${key}" cannot be together with several workers`)
    expect(said({ ...part, workers: 'auto' }, 'CFG144')[0]).toMatch(/^info: .*there is one worker$/)
    expect(load({ ...part, workers: 'auto' }).config?.workers).toBe(1)
  })

  it.each([
    ['its transport has one socket', { ...vmess, streamSettings: { network: 'kcp' } }],
    ['its transport brings one connection by several', { ...vmess, streamSettings: { network: 'xhttp' } }],
    ['its datagrams come to one socket', { listen: '127.0.0.1', port: 1, protocol: 'socks', settings: { udp: true } }],
    ['its ports move', { ...vmess, port: '2000-2100', allocate: { strategy: 'random' } }],
    ['it sends clients on', { ...vmess, settings: { clients: [{ id }], detour: { to: 'x' } } }],
  ])('says of an inbound that one thread serves it: %s', (why, inbound) => {
    const root = { inbounds: [inbound, { ...vmess, port: 3000, tag: 'x2' }] }
    const texts = said({ ...root, workers: 2 }, 'CFG145')
    expect(texts).toHaveLength(1)
    expect(texts[0]).toContain(why)
    expect(said(root, 'CFG145')).toEqual([])
    const [first, second] = load({ ...root, workers: 2 }).config!.inbounds
    expect(first!.oneThread).toContain(why)
    expect(second!.oneThread).toBeUndefined()
  })

  it('keeps those together that share an address', () => {
    const ws = { ...vmess, streamSettings: { network: 'ws', wsSettings: { path: '/ws' } } }
    const xhttp = { ...vmess, streamSettings: { network: 'xhttp', xhttpSettings: { path: '/x' } } }
    const { config } = load({ inbounds: [ws, xhttp], workers: 2 })
    expect(config!.inbounds.map(({ oneThread }) => oneThread !== undefined)).toEqual([true, true])
    const both = load({ inbounds: [ws, vmess], workers: 2 }).config!.inbounds
    expect(both.map(({ oneThread }) => oneThread)).toEqual([undefined, undefined])
  })
})
