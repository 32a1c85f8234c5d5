/** One test per row of the tables of inbounds. */
import { describe, expect, test } from 'vitest'
import type { LoadResult } from '../../../src/config/load.ts'
import { codesOf, configOf, errorOf, load, quietConfigOf, uuid, vmessIn, warningOf, withInbound } from '../helpers.ts'

const clients = [{ id: uuid }]

describe('inbounds[]', () => {
  test('protocol: any letter case, and the names of Xray', () => {
    const protocolOf = (protocol: string) =>
      configOf(load(withInbound({ protocol, listen: '127.0.0.1' }))).inbounds[0]!.protocol
    expect(protocolOf('VMess')).toBe('vmess')
    expect(protocolOf('Tunnel')).toBe('dokodemo-door')
    expect(protocolOf('mixed')).toBe('mixed')
    expect(protocolOf('socks')).toBe('socks')
    expect(protocolOf('http')).toBe('http')
  })

  test('protocol: missing, unknown, or not supported', () => {
    errorOf(load(withInbound({ protocol: null })), 'CFG024', 'inbounds[0].protocol')
    expect(errorOf(load(withInbound({ protocol: 'vmesss' })), 'CFG080', 'inbounds[0].protocol').hint).toBe(
      'did you mean "vmess"?',
    )
    for (const protocol of ['shadowsocks', 'vless', 'trojan', 'mtproto']) {
      expect(errorOf(load(withInbound({ protocol })), 'CFG034').message).toContain('known but not supported')
    }
  })

  test('port: required, unless the listener is a unix socket', () => {
    errorOf(load(withInbound({ port: null, settings: { clients } })), 'CFG081', 'inbounds[0].port')
    const socket = { listen: '/run/v.sock', settings: { clients } }
    quietConfigOf(load(withInbound({ port: null, ...socket })))
    quietConfigOf(load(withInbound({ port: 0, ...socket })))
    warningOf(load(withInbound({ port: 5, ...socket })), 'CFG030', 'inbounds[0].port')
  })

  test.each([
    [null, { host: '::', port: 10086 }],
    ['0.0.0.0', { host: '::', port: 10086 }],
    ['::', { host: '::', port: 10086 }],
    ['127.0.0.1', { host: '127.0.0.1', port: 10086 }],
    ['[::1]', { host: '::1', port: 10086 }],
    ['LocalHost', { host: '127.0.0.1', port: 10086 }],
    ['/run/v.sock', { host: '', port: 0, path: '/run/v.sock' }],
    ['@name', { host: '', port: 0, path: '\0name' }],
    ['@@name', { host: '', port: 0, path: `\0name${'\0'.repeat(103)}` }],
  ])('listen: %j', (listen, address) => {
    const port = typeof listen === 'string' && /^[/@]/.test(listen) ? null : 10086
    const result = load(withInbound({ listen, port, settings: { clients } }))
    expect(quietConfigOf(result).inbounds[0]!.listen).toEqual([{ address }])
  })

  test('listen: a mode behind the path of a unix socket', () => {
    const listen = (text: string) => load(withInbound({ listen: text, port: null, settings: { clients } }))
    expect(configOf(listen('/run/v.sock,0666')).inbounds[0]!.listen).toEqual([
      { address: { host: '', port: 0, path: '/run/v.sock' }, mode: 0o666 },
    ])
    errorOf(listen('/run/v.sock,0999'), 'CFG028', 'inbounds[0].listen')
    errorOf(listen(`/${'x'.repeat(107)}`), 'CFG028', 'inbounds[0].listen')
    expect(listen(`/${'x'.repeat(106)}`).config).toBeDefined()
  })

  test.each([
    ['@name,0666', '\0name'],
    ['@@name,0666', `\0name${'\0'.repeat(103)}`],
  ])('listen: a mode has no effect on an abstract socket: %j', (text, path) => {
    const result = load(withInbound({ listen: text, port: null, settings: { clients } }))
    expect(configOf(result).inbounds[0]!.listen).toEqual([{ address: { host: '', port: 0, path } }])
    const [hint] = text.split(',')
    expect(warningOf(result, 'CFG030', 'inbounds[0].listen').hint).toBe(`write "${hint}"`)
  })

  test.each([
    ['', 'leave "listen" out to listen on all addresses'],
    ['a.example', 'names are not looked up here: write the IP address'],
    ['127.0.0.1:80', 'write the port in "port"'],
    ['./v.sock', 'paths must begin with /'],
    ['*', 'leave "listen" out to listen on all addresses'],
  ])('listen: %j is an error', (listen, hint) => {
    expect(errorOf(load(withInbound({ listen, settings: { clients } })), 'CFG028', 'inbounds[0].listen').hint).toBe(
      hint,
    )
  })

  test('tag and settings: the path in messages comes with the inbound', () => {
    expect(quietConfigOf(load(vmessIn({ clients }, { tag: 'in' }))).inbounds[0]).toMatchObject({
      tag: 'in',
      at: 'inbounds[0]',
    })
    expect(configOf(load(vmessIn({ clients }))).inbounds[0]!.tag).toBe('')
    errorOf(load(withInbound({ settings: [] })), 'CFG022', 'inbounds[0].settings')
  })

  test('sniffing', () => {
    const sniffing = (value: object) => load(vmessIn({ clients }, { sniffing: value }))
    const of = (value: object) => quietConfigOf(sniffing(value)).inbounds[0]!.sniffing
    expect(of({ enabled: true, destOverride: ['http', 'TLS', 'fakedns+others'] })).toEqual({
      override: ['http', 'tls', 'fakedns+others'],
      metadataOnly: false,
      routeOnly: false,
    })
    expect(of({ enabled: true, destOverride: 'ssl, https', routeOnly: true, metadataOnly: true })).toEqual({
      override: ['tls', 'tls'],
      metadataOnly: true,
      routeOnly: true,
    })
    expect(of({ enabled: true })).toMatchObject({ override: [] })
    expect(of({ enabled: false, destOverride: ['http'] })).toBeUndefined()
    expect(of({ enabled: true, domainsExcluded: 'full:a.example', ipsExcluded: ['10.0.0.0/8'] })).toMatchObject({
      excluded: { domains: [{ kind: 'full', value: 'a.example' }], ips: [{ kind: 'block', prefix: 8, not: false }] },
    })
    quietConfigOf(sniffing({ enabled: false, destOverride: 'http,ssl', metadataOnly: true, routeOnly: true }))
    const forgotten = sniffing({ domainsExcluded: 'a,b', ipsExcluded: ['10.0.0.0/8'] })
    warningOf(forgotten, 'CFG030', 'inbounds[0].sniffing.domainsExcluded')
    warningOf(forgotten, 'CFG030', 'inbounds[0].sniffing.ipsExcluded')
    quietConfigOf(sniffing({}))
    const problem = errorOf(
      sniffing({ enabled: true, destOverride: ['htpp'] }),
      'CFG025',
      'inbounds[0].sniffing.destOverride',
    )
    expect(problem.hint).toBe('did you mean "http"?')
    errorOf(sniffing({ enabled: 'yes' }), 'CFG022', 'inbounds[0].sniffing.enabled')
  })

  test('domainOverride is the old form of sniffing', () => {
    const result = load(vmessIn({ clients }, { domainOverride: ['http', 'tls'] }))
    expect(codesOf(result)).toEqual(['CFG036'])
    expect(configOf(result).inbounds[0]!.sniffing).toMatchObject({ override: ['http', 'tls'] })
    errorOf(load(vmessIn({ clients }, { domainOverride: ['smtp'] })), 'CFG025', 'inbounds[0].domainOverride')
  })
})

describe('allocate', () => {
  const file = (allocate: object, port: unknown = '100-199') => load(vmessIn({ clients }, { port, allocate }))
  const at = (key: string) => `inbounds[0].allocate.${key}`

  const allocateOf = (result: LoadResult) => quietConfigOf(result).inbounds[0]!.allocate

  test('strategy: required; always is what happens anyway, random opens some', () => {
    expect(allocateOf(file({ strategy: 'always', refresh: 7, concurrency: 7 }))).toBeUndefined()
    expect(allocateOf(file({ strategy: 'Random' }))).toEqual({ refreshMinutes: 5, concurrency: 3 })
    expect(quietConfigOf(file({ strategy: 'random' })).inbounds[0]!.listen).toHaveLength(100)
    errorOf(file({}), 'CFG024', at('strategy'))
    errorOf(file({ strategy: 'external' }), 'CFG025', at('strategy'))
    expect(errorOf(file({ strategy: 'randon' }), 'CFG025', at('strategy')).hint).toBe('did you mean "random"?')
  })

  test('refresh: 0 is an error, 1 a warning', () => {
    expect(errorOf(file({ strategy: 'random', refresh: 0 }), 'CFG023', at('refresh')).message).toBe(
      'found 0, expected 1 or more minutes; 2 is the least that is documented',
    )
    const result = file({ strategy: 'random', refresh: 1 })
    warningOf(result, 'CFG023', at('refresh'))
    expect(configOf(result).inbounds[0]!.allocate!.refreshMinutes).toBe(1)
    expect(allocateOf(file({ strategy: 'random', refresh: 2 }))!.refreshMinutes).toBe(2)
    errorOf(file({ strategy: 'random', refresh: -1 }), 'CFG023', at('refresh'))
    errorOf(file({ strategy: 'random', refresh: '5' }), 'CFG022', at('refresh'))
  })

  test('concurrency: a third of the range at most, an error beyond half of it', () => {
    expect(allocateOf(file({ strategy: 'random', concurrency: 33 }))!.concurrency).toBe(33)
    warningOf(file({ strategy: 'random', concurrency: 34 }), 'CFG088', at('concurrency'))
    warningOf(file({ strategy: 'random', concurrency: 50 }), 'CFG088', at('concurrency'))
    errorOf(file({ strategy: 'random', concurrency: 51 }), 'CFG088', at('concurrency'))
    errorOf(file({ strategy: 'random', concurrency: 0 }), 'CFG023', at('concurrency'))
    errorOf(file({ strategy: 'random' }, 100), 'CFG088')
  })

  test('has no effect on a unix socket', () => {
    const result = load(vmessIn({ clients }, { listen: '/run/v', port: null, allocate: { strategy: 'random' } }))
    warningOf(result, 'CFG030', 'inbounds[0].allocate')
    expect(configOf(result).inbounds[0]!.allocate).toBeUndefined()
  })
})
