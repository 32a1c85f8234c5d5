/** One test per row of the tables of chains, and of outbounds to proxies. */

import { describe, expect, test } from 'vitest'
import { codesOf, errorOf, load, outboundOf, quietConfigOf, vmessOut, warningOf, withOutbound } from '../helpers.ts'

const freedom = { protocol: 'freedom' }

describe('chains', () => {
  const chained = (outbound: object) =>
    load({
      outbounds: [
        { ...freedom, tag: 'a', ...outbound },
        { ...freedom, tag: 'b' },
      ],
    })
  const throughOf = (outbound: object) => quietConfigOf(chained(outbound)).outbounds[0]!.through

  test('proxySettings, with and without the own transport, and dialerProxy', () => {
    expect(throughOf({ proxySettings: { tag: 'b' } })).toEqual({ tag: 'b', withoutTransport: true })
    expect(throughOf({ proxySettings: { tag: 'b', transportLayer: true } })).toEqual({
      tag: 'b',
      withoutTransport: false,
    })
    expect(throughOf({ streamSettings: { sockopt: { dialerProxy: 'b' } } })).toEqual({
      tag: 'b',
      withoutTransport: false,
    })
    expect(throughOf({ streamSettings: { sockopt: { dialerProxy: '' } } })).toBeUndefined()
  })

  test('an empty or missing tag, and two ways, end the start', () => {
    errorOf(chained({ proxySettings: {} }), 'CFG024', 'outbounds[0].proxySettings.tag')
    errorOf(chained({ proxySettings: { tag: '' } }), 'CFG024', 'outbounds[0].proxySettings.tag')
    const both = { proxySettings: { tag: 'b' }, streamSettings: { sockopt: { dialerProxy: 'b' } } }
    errorOf(chained(both), 'CFG035', 'outbounds[0].streamSettings.sockopt.dialerProxy')
  })

  test('a transport that is dropped, and an address that nothing leaves from, are said', () => {
    const ws = { streamSettings: { network: 'ws' } }
    warningOf(chained({ ...ws, proxySettings: { tag: 'b' } }), 'CFG104', 'outbounds[0].proxySettings.tag')
    expect(codesOf(chained({ ...ws, proxySettings: { tag: 'b', transportLayer: true } }))).toEqual([])
    warningOf(chained({ proxySettings: { tag: 'b' }, sendThrough: '192.0.2.1' }), 'CFG030', 'outbounds[0].sendThrough')
  })

  test('outbounds that are there already can be gone through', () => {
    const one = { outbounds: [{ ...freedom, proxySettings: { tag: 'there' } }] }
    errorOf(load(one), 'CFG121')
    expect(quietConfigOf(load(one, { otherOutbounds: ['there'] })).outbounds[0]!.through!.tag).toBe('there')
  })
})

describe('sendThrough', () => {
  const of = (sendThrough: string) => load(withOutbound({ ...freedom, sendThrough }))

  test('is an address or a network of this machine', () => {
    expect(outboundOf(of('192.0.2.1'), 'freedom').sendThrough).toEqual({ host: '192.0.2.1', bits: 32 })
    expect(outboundOf(of('192.0.2.77/24'), 'freedom').sendThrough).toEqual({ host: '192.0.2.0', bits: 24 })
    expect(outboundOf(of('2001:db8::1/65'), 'freedom').sendThrough).toEqual({ host: '2001:db8::', bits: 65 })
    for (const any of ['0.0.0.0', '::', '']) expect(quietConfigOf(of(any)).outbounds[0]!.sendThrough).toBeUndefined()
  })

  test('is no name, and nothing that only some systems can do', () => {
    for (const wrong of ['example.com', '192.0.2.1/33', '1.2.3'])
      errorOf(of(wrong), 'CFG028', 'outbounds[0].sendThrough')
    for (const word of ['origin', 'srcip']) errorOf(of(word), 'CFG031', 'outbounds[0].sendThrough')
  })
})

describe.each(['socks', 'http'] as const)('a %s outbound', (protocol) => {
  const of = (settings: object) => load(withOutbound({ protocol, settings }))
  const server = { address: 'proxy.example', port: 1080 }
  const at = 'outbounds[0].settings'

  test('the forms of V2Ray and of Xray', () => {
    const users = [
      { user: 'a', pass: 'b', level: 1, email: 'x' },
      { user: 'c', pass: 'd' },
    ]
    const made = [
      { user: 'a', pass: 'b', level: 1 },
      { user: 'c', pass: 'd', level: 0 },
    ]
    expect(
      outboundOf(
        of({
          servers: [
            { ...server, users },
            { ...server, port: 2 },
          ],
        }),
        protocol,
      ).settings.servers,
    ).toEqual([
      { address: { host: 'proxy.example', port: 1080 }, users: made },
      { address: { host: 'proxy.example', port: 2 }, users: [] },
    ])
    expect(outboundOf(of({ ...server, user: 'a', pass: 'b', level: 1 }), protocol).settings.servers).toEqual([
      { address: { host: 'proxy.example', port: 1080 }, users: [made[0]] },
    ])
    expect(outboundOf(of(server), protocol).settings.servers[0]!.users).toEqual([])
  })

  test('what is missing or too long is an error, what is ignored is said', () => {
    errorOf(of({}), 'CFG024', at)
    errorOf(of({ servers: [] }), 'CFG024', `${at}.servers`)
    errorOf(of({ servers: [{ port: 1 }] }), 'CFG024', `${at}.servers[0].address`)
    errorOf(of({ address: 'a' }), 'CFG024', `${at}.port`)
    errorOf(of({ address: 'a', port: 0 }), 'CFG029', `${at}.port`)
    errorOf(of({ ...server, user: 'u'.repeat(256), pass: '' }), 'CFG023', `${at}.user`)
    warningOf(of({ ...server, servers: [server] }), 'CFG035', `${at}.servers`)
    warningOf(of({ servers: [server], user: 'a' }), 'CFG035', `${at}.user`)
    warningOf(of({ ...server, user: 'a' }), 'CFG024', `${at}.pass`)
  })

  test('a password is never shown', () => {
    const { problems } = of({ servers: [{ ...server, users: [{ user: 'a', pass: 12345 }] }] })
    expect(problems.length).toBeGreaterThan(0)
    expect(JSON.stringify(problems)).not.toContain('12345')
  })
})

describe('what only one of them has', () => {
  const server = { address: 'proxy.example', port: 1080 }

  test('version and delayAuthWrite of socks', () => {
    const of = (settings: object) => load(withOutbound({ protocol: 'socks', settings: { ...server, ...settings } }))
    expect(outboundOf(of({}), 'socks').settings).toMatchObject({ version: '5', delayAuth: false })
    expect(outboundOf(of({ version: '4A', delayAuthWrite: true }), 'socks').settings).toMatchObject({
      version: '4a',
      delayAuth: true,
    })
    errorOf(of({ version: '6' }), 'CFG025', 'outbounds[0].settings.version')
    errorOf(of({ version: '4', user: 'a', pass: 'b' }), 'CFG023', 'outbounds[0].settings.version')
    expect(codesOf(of({ version: '4', user: 'a', pass: '' }))).toEqual([])
  })

  test('headers of http', () => {
    const of = (headers: object) => load(withOutbound({ protocol: 'http', settings: { ...server, headers } }))
    expect(outboundOf(of({ 'X-A': 'b' }), 'http').settings.headers).toEqual({ 'X-A': 'b' })
    errorOf(of({ 'X A': 'b' }), 'CFG022', 'outbounds[0].settings.headers')
    errorOf(of({ a: 'b\r\nc: d' }), 'CFG022', 'outbounds[0].settings.headers')
  })

  test('mux is for vmess', () => {
    const settings = { address: 'a', port: 1 }
    warningOf(load(withOutbound({ protocol: 'socks', settings, mux: { enabled: true } })), 'CFG030')
    expect(codesOf(load(vmessOut({}, {}, { mux: { enabled: true } })))).toEqual([])
  })
})

describe('the ds transport', () => {
  const into = (dsSettings: object, inbound: object = {}) =>
    load({
      inbounds: [{ protocol: 'socks', streamSettings: { network: 'ds', dsSettings }, ...inbound }],
      outbounds: [freedom],
    })
  const pathOf = (dsSettings: object) => quietConfigOf(into(dsSettings)).inbounds[0]!.listen

  test('is where the inbound listens, whatever address and port say', () => {
    expect(pathOf({ path: '/run/a.sock' })).toEqual([{ address: { host: '', port: 0, path: '/run/a.sock' } }])
    expect(pathOf({ path: 'a', abstract: true })).toEqual([{ address: { host: '', port: 0, path: '\0a' } }])
    const padded = `\0a${'\0'.repeat(106)}`
    expect(pathOf({ path: 'a', abstract: true, padding: true })).toEqual([
      { address: { host: '', port: 0, path: padded } },
    ])
    const both = into({ path: '/a' }, { listen: '127.0.0.1', port: 5 })
    expect(both.problems.map(({ severity, path }) => `${severity} ${path}`)).toEqual([
      'info inbounds[0].listen',
      'info inbounds[0].port',
    ])
    expect(both.config!.inbounds[0]!.listen).toHaveLength(1)
  })

  test('needs a path that there can be', () => {
    const at = 'inbounds[0].streamSettings.dsSettings'
    errorOf(into({}), 'CFG024', `${at}.path`)
    errorOf(into({ path: 'a.sock' }), 'CFG028', `${at}.path`)
    errorOf(into({ path: `/${'a'.repeat(107)}` }), 'CFG028', `${at}.path`)
    warningOf(into({ path: '/a', padding: true }), 'CFG030', `${at}.padding`)
    errorOf(
      load({ inbounds: [{ protocol: 'socks', streamSettings: { network: 'domainsocket' } }], outbounds: [freedom] }),
      'CFG024',
    )
  })

  test('leads through no other outbound', () => {
    const streamSettings = { network: 'ds', dsSettings: { path: '/a' }, sockopt: { dialerProxy: 'b' } }
    errorOf(
      load({
        outbounds: [
          { ...freedom, streamSettings },
          { ...freedom, tag: 'b' },
        ],
      }),
      'CFG031',
    )
  })
})
