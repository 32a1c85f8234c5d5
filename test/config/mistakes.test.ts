/** One test per row of the table of common mistakes: what we say, and where. */
import { describe, expect, test } from 'vitest'
import {
  configOf,
  errorOf,
  load,
  loadText,
  problemOf,
  quietConfigOf,
  uuid,
  vmessIn,
  vmessOut,
  warningOf,
  withInbound,
} from './helpers.ts'

const files = { certificateFile: '/c.pem', keyFile: '/k.pem' }
const freedom = { protocol: 'freedom' }
const clients = [{ id: uuid }]

describe('ports', () => {
  test.each([['70000'], ['x'], ['2000-1000']])('%j', (port) => {
    expect(errorOf(load(withInbound({ port, settings: { clients } })), 'CFG029', 'inbounds[0].port')).toMatchObject({
      line: 5,
      column: 15,
    })
  })

  test('VMess server without port', () => {
    expect(errorOf(load(vmessOut({}, { port: null })), 'CFG024').message).toBe('this server has no "port"')
  })

  test('env: variable unset', () => {
    expect(errorOf(load(withInbound({ port: 'env:V_PORT' })), 'CFG027').message).toBe(
      'the environment variable "V_PORT" is not set',
    )
  })

  test('inbound without port', () => {
    errorOf(load(withInbound({ port: null })), 'CFG081', 'inbounds[0].port')
  })

  test('two inbounds on one port', () => {
    const inbound = (listen: string | null, port: unknown) => ({ protocol: 'http', listen, port })
    const result = load({ inbounds: [inbound('127.0.0.1', '80-90'), inbound('127.0.0.1', 85)], outbounds: [freedom] })
    expect(errorOf(result, 'CFG086', 'inbounds[1].port')).toMatchObject({
      message:
        'port 85 of 127.0.0.1 is already listened on by inbounds[0], and nothing tells the two apart: what clients send first does not show which of the two it is for',
      hint: 'write another port, or give one of them another path, "host" or name of TLS',
    })
    for (const [first, second] of [
      ['::', '127.0.0.1'],
      ['127.0.0.1', '0.0.0.0'],
      [null, '::1'],
      ['0.0.0.0', '::'],
    ] as const) {
      const both = load({ inbounds: [inbound(first, 80), inbound(second, 80)], outbounds: [freedom] })
      errorOf(both, 'CFG086', 'inbounds[1].port')
    }
    const sockets = load({ inbounds: [inbound('/run/a', null), inbound('/run/a', null)], outbounds: [freedom] })
    expect(errorOf(sockets, 'CFG086', 'inbounds[1].listen').message).toBe(
      'this socket is already listened on by inbounds[0], and nothing tells the two apart: what clients send first does not show which of the two it is for',
    )
    quietConfigOf(load({ inbounds: [inbound('127.0.0.1', 80), inbound('127.0.0.2', 80)], outbounds: [freedom] }))
    quietConfigOf(load({ inbounds: [inbound('127.0.0.1', 0), inbound('127.0.0.1', 0)], outbounds: [freedom] }))
  })
})

test('one port beside dynamic ports: they open others', () => {
  const moving = { protocol: 'vmess', port: '1000-1099', settings: { clients }, allocate: { strategy: 'random' } }
  const fixed = { protocol: 'vmess', port: 1050, settings: { clients } }
  for (const inbounds of [
    [moving, fixed],
    [fixed, moving],
  ]) {
    const problem = warningOf(load({ inbounds, outbounds: [freedom] }), 'CFG086', 'inbounds[1].port')
    expect(problem.hint).toBe('leave this port out of the range of the dynamic ports')
  }
  errorOf(load({ inbounds: [moving, fixed, fixed], outbounds: [freedom] }), 'CFG086', 'inbounds[2].port')
})

describe('protocols and tags', () => {
  test('unknown protocol', () => {
    expect(errorOf(load(withInbound({ protocol: 'vmesss' })), 'CFG080').hint).toBe('did you mean "vmess"?')
  })

  test('protocols of Xray: fine', () => {
    const file = {
      inbounds: [
        { protocol: 'mixed', listen: '::1', port: 1 },
        { protocol: 'tunnel', listen: '::1', port: 2 },
      ],
      outbounds: [{ protocol: 'direct' }],
    }
    quietConfigOf(load(file))
  })

  test.each(['inbound', 'outbound'])('duplicate %s tag: both places', (role) => {
    const list = `${role}s`
    const entry = (port: number) =>
      role === 'inbound' ? { tag: 'x', protocol: 'http', listen: '::1', port } : { tag: 'x', ...freedom }
    const result = load({ inbounds: [], outbounds: [freedom], [list]: [entry(1), entry(2)] })
    const problem = warningOf(result, 'CFG082', `${list}[1].tag`)
    expect(problem.message).toContain(`the tag "x" already belongs to ${list}[0]`)
    expect(problem.hint).toContain('Xray refuses this')
  })

  test('unknown outboundTag in a rule', () => {
    const routing = { rules: [{ network: 'tcp', outboundTag: 'proxi' }] }
    const file = { outbounds: [{ ...freedom, tag: 'proxy' }], routing }
    expect(warningOf(load(file), 'CFG121', 'routing.rules[0].outboundTag').hint).toBe('did you mean "proxy"?')
  })

  test('rule without target or matcher, unknown rule type', () => {
    errorOf(load({ routing: { rules: [{ network: 'tcp' }] } }), 'CFG120')
    errorOf(load({ outbounds: [{ ...freedom, tag: 'a' }], routing: { rules: [{ outboundTag: 'a' }] } }), 'CFG120')
    errorOf(
      load({
        outbounds: [{ ...freedom, tag: 'a' }],
        routing: { rules: [{ type: 'x', network: 'tcp', outboundTag: 'a' }] },
      }),
      'CFG025',
    )
  })

  test('unknown proxySettings.tag, and chains that never end', () => {
    const out = (tag: string, through: string) => ({ ...freedom, tag, proxySettings: { tag: through } })
    const hop = (tag: string, dialerProxy: string) => ({
      ...freedom,
      tag,
      streamSettings: { sockopt: { dialerProxy } },
    })
    expect(errorOf(load({ outbounds: [out('a', 'bb'), { ...freedom, tag: 'b' }] }), 'CFG121').path).toBe(
      'outbounds[0].proxySettings.tag',
    )
    const ring = load({ outbounds: [out('in', 'a'), out('a', 'b'), hop('b', 'c'), out('c', 'a')] })
    const problem = errorOf(ring, 'CFG097', 'outbounds[1].proxySettings.tag')
    expect(problem.message).toBe('these outbounds lead through each other in a ring: "a" → "b" → "c" → "a"')
    const own = errorOf(
      load({ outbounds: [hop('a', 'a')] }),
      'CFG097',
      'outbounds[0].streamSettings.sockopt.dialerProxy',
    )
    expect(own.message).toContain('"a" → "a"')
  })

  test('an outbound that leads back to an inbound of the same file', () => {
    const file = (address: string, port: number, listen: string | null) => ({
      inbounds: [{ tag: 'in', protocol: 'vmess', listen, port: '10000-10010', settings: { clients } }],
      outbounds: [{ protocol: 'vmess', settings: { address, port, id: uuid } }],
    })
    for (const listen of [null, '127.0.0.1']) {
      const problem = warningOf(load(file('127.0.0.1', 10005, listen)), 'CFG085', 'outbounds[0].settings')
      expect(problem.message).toContain('inbounds[0] ("in")')
    }
    quietConfigOf(load(file('127.0.0.1', 9999, null)))
    quietConfigOf(load(file('192.0.2.1', 10005, null)))
  })
})

describe('streams', () => {
  const out = (streamSettings: object) => load(vmessOut({}, {}, { streamSettings }))

  test('unknown stream security is an error, not plaintext', () => {
    errorOf(out({ security: 'ttls' }), 'CFG101')
  })

  test('unknown network: a suggestion', () => {
    expect(errorOf(out({ network: 'tpc' }), 'CFG100').hint).toBe('did you mean "tcp"?')
  })

  test('TLS inbound without certificate', () => {
    errorOf(load(vmessIn({ clients }, { streamSettings: { security: 'tls' } })), 'CFG102')
  })

  test('a certificate file is named with the path that asks for it', () => {
    const result = load(
      vmessIn({ clients }, { streamSettings: { security: 'tls', tlsSettings: { certificates: [files] } } }),
    )
    expect(configOf(result).inbounds[0]!.stream.tls!.certificates[0]!.key).toMatchObject({
      path: '/k.pem',
      at: 'inbounds[0].streamSettings.tlsSettings.certificates[0].keyFile',
    })
  })
})

describe('text and keys', () => {
  test('unknown field anywhere', () => {
    const problem = warningOf(load(vmessIn({ clients: [{ id: uuid, alterIdd: 1 }] })), 'CFG020')
    expect(problem).toMatchObject({ path: 'inbounds[0].settings.clients[0].alterIdd', hint: 'did you mean "alterId"?' })
  })

  test('wrong letter case of a key', () => {
    problemOf(load(vmessIn({ clients: [{ id: uuid, alterid: 1 }] })), 'info', 'CFG021')
  })

  test('JSON syntax error', () => {
    const problem = errorOf(loadText('{\n  "inbounds": [\n    { "port": 1080 "protocol": "socks" }\n  ]\n}'), 'CFG001')
    expect(problem).toMatchObject({ line: 3, column: 20, message: 'expected a comma or a closing bracket' })
    expect(problem.hint).toBe('a comma is missing after the value before this place')
    expect(problem.excerpt).toBe(`    { "port": 1080 "protocol": "socks" }\n${' '.repeat(19)}^`)
  })

  test('a block that is too long, and a rule to one of two outbounds with one tag', () => {
    const rules = [{ type: 'field', ip: ['10.0.0.0/33'], outboundTag: 'elsewhere' }]
    const outbounds = [1, 2].map(() => ({ protocol: 'freedom', tag: 'direct' }))
    const loaded = load({ outbounds, routing: { rules } })
    expect(errorOf(loaded, 'CFG122').message).toMatch(/expected 0 to 32$/)
    expect(warningOf(loaded, 'CFG121').hint).toBe('there is "direct"')
  })

  test('typographic quotes', () => {
    const problem = errorOf(loadText('{ “inbounds”: [] }'), 'CFG001')
    expect(problem).toMatchObject({ column: 3, hint: 'write straight quotes "…" instead of typographic ones' })
  })

  test('type error inside settings: line and path', () => {
    const text = '{"inbounds":[{"protocol":"vmess","port":1,\n"settings":{"clients":{}}}]}'
    expect(errorOf(loadText(text), 'CFG022')).toMatchObject({
      line: 2,
      column: 23,
      path: 'inbounds[0].settings.clients',
      message: 'found an object, expected an array [ … ]',
      hint: 'put it in brackets: [ … ]',
    })
  })
})

describe('dynamic ports and mux', () => {
  test('allocate with too many ports', () => {
    const allocate = { strategy: 'random', concurrency: 3 }
    const problem = errorOf(
      load(vmessIn({ clients }, { port: '1-5', allocate })),
      'CFG088',
      'inbounds[0].allocate.concurrency',
    )
    expect(problem.message).toContain('only 5 ports')
    const one = load(vmessIn({ clients }, { port: 5, allocate: { strategy: 'random', concurrency: 1 } }))
    expect(errorOf(one, 'CFG088').message).toMatch(/the range has only one port$/)
  })

  test('allocate without port on a unix socket', () => {
    warningOf(load(vmessIn({ clients }, { listen: '@x', port: null, allocate: { strategy: 'random' } })), 'CFG030')
  })

  test('mux.concurrency > 1024', () => {
    errorOf(
      load(vmessOut({}, {}, { mux: { enabled: true, concurrency: 1025 } })),
      'CFG023',
      'outbounds[0].mux.concurrency',
    )
  })
})
