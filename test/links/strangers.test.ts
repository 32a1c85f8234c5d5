/** Links as strangers give them: one line of strangers.jsonl for each kind that real lists show, then more of its kind. */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { parseLink, type ShareLink } from '../../src/config/link/share-link.ts'
import { v2rayN } from './corpus.ts'

interface Case {
  readonly kind: string
  readonly link: string
  readonly means?: ShareLink
  readonly refused?: readonly string[]
}

const cases = readFileSync(new URL('strangers.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line) as Case)

describe('links of strangers', () => {
  it.each(cases.map((entry, i) => [`${i + 1}: ${entry.kind}`, entry] as const))('%s', (_title, entry) => {
    if (entry.means) return expect(parseLink(entry.link)).toEqual(entry.means)
    for (const word of entry.refused ?? []) expect(() => parseLink(entry.link)).toThrow(word)
  })
})

const id = 'b831381d-6324-4d53-ad4f-8cda48b30811'
const minimal = { v: '2', ps: 'n', add: 'a.example', port: '443', id }
const plain = v2rayN(minimal)
const base64 = (text: string) => Buffer.from(text).toString('base64')
const cipher = (query: string) => `vmess://${base64(`auto:${id}@a.example:443`)}?${query}`
const line = (rest: string) => `n = vmess, a.example, 443, auto, "${id}", ${rest}`
const url = (query: string) => `vmess://${id}@a.example:443?${query}`

describe('what stands around a link', () => {
  it.each([
    [`'${plain}'`],
    [`“${plain}”`],
    [`「${plain}」`],
    [`(${plain}).`],
    [`【${plain}】。`],
    [`\`${plain}\``],
    [`${plain},`],
    [`${plain}，`],
    [`"${plain}",\r\n`],
    [`«${plain}`],
  ])('is not part of it: %s', (text) => {
    expect(parseLink(text)).toEqual(parseLink(plain))
  })

  it('leaves a name its bracket', () => {
    expect(parseLink(`vmess://${id}@a.example:443#Server (2)`).name).toBe('Server (2)')
    expect(parseLink(`"vmess://${id}@a.example:443#Server (2)"`).name).toBe('Server (2)')
  })

  it('leaves the quotes of a line alone', () => {
    expect(parseLink(`"my node" = vmess, a.example, 443, auto, "${id}"`)).toMatchObject({ name: 'my node', id })
  })
})

describe('several links', () => {
  const second = v2rayN({ ...minimal, ps: 'two', port: '444' })
  const third = `vmess://${id}@b.example:445#three`
  it.each([
    ['lines', [plain, second, third].join('\n')],
    ['lines of Windows with blank ones', ['', plain, '', second, third, ''].join('\r\n')],
    ['one line', [plain, second, third].join(' ')],
    ['a list in quotes', `["${plain}","${second}","${third}"]`],
    [
      'beside other protocols',
      [`vless://${id}@c.example:1#other`, plain, second, `ss://${third.slice(8)}`, third].join('\n'),
    ],
    ['base64', base64([plain, second, third].join('\n'))],
    [
      'base64 without padding, in lines',
      base64([plain, second, third].join('\n'))
        .replace(/=+$/, '')
        .replace(/(.{76})/g, '$1\n'),
    ],
    ['lines of Loon', [line('tag=1'), line('').replace('n =', 'two =').replace('443', '444'), third].join('\n')],
  ])('are told from one, and one is chosen: %s', (_title, text) => {
    expect(() => parseLink(text)).toThrow('3 links: 1 "n", 2 "two", 3 "three"')
    expect(parseLink(text, 2)).toMatchObject({ name: 'two', port: 444 })
    expect(parseLink(text, '3')).toMatchObject({ name: 'three', port: 445 })
    expect(parseLink(text, 'two')).toMatchObject({ port: 444 })
    expect(() => parseLink(text, 4)).toThrow('"4" is none of the links')
    expect(() => parseLink(text, 0)).toThrow('is none of the links')
    expect(() => parseLink(text, 'four')).toThrow('is none of the links')
  })

  it('takes the only one of VMess', () => {
    expect(parseLink(`trojan://x@c.example:1#t\n${plain}\n`)).toEqual(parseLink(plain))
    expect(parseLink(base64(`${plain}\n`))).toEqual(parseLink(plain))
  })

  it('lists a few of many, and none of their ids', () => {
    const many = Array.from({ length: 50 }, (_, i) => v2rayN({ ...minimal, ps: i === 0 ? id : `n${i}` })).join('\n')
    expect(() => parseLink(many)).toThrow(/50 links: 1 "b831381d…", 2 "n1".*8 "n7", …;/)
  })
})

describe('TLS', () => {
  it.each([
    ['a switch without a value', cipher('tls')],
    ['the same in a URL', url('tls')],
    ['the same in Kitsunebi', `vmess1://${id}@a.example:443?tls`],
    ['XTLS of the second kind', cipher('xtls=2')],
    ['"security" beside an empty "tls"', v2rayN({ ...minimal, tls: '', security: 'tls' })],
    ['"security" beside "tls": none', v2rayN({ ...minimal, tls: 'none', security: 'TLS' })],
    ['"tls" beside "security": none', v2rayN({ ...minimal, tls: 'tls', security: 'none' })],
    ['a cipher as "security" of a URL', url('security=auto&tls=1')],
    ['Loon with sni', line('over-tls=true, sni=s.example')],
    ['a line with tls', line('tls=true')],
  ])('is never lost: %s', (_title, text) => {
    expect(parseLink(text)).toMatchObject({ security: 'auto', tls: { allowInsecure: false } })
  })

  it.each([
    ['sni', v2rayN({ ...minimal, tls: 'tls', serverName: 's.example' })],
    ['peer in a URL', url('security=tls&peer=s.example')],
    ['sni of Loon', line('over-tls=true, sni=s.example')],
    ['tlsServerName of the draft', `vmess://ws+tls:${id}-0@a.example:443/?peer=s.example`],
    ['sni of Kitsunebi', `vmess1://${id}@a.example:443?tls=1&sni=s.example`],
  ])('has the name of the server by any key: %s', (_title, text) => {
    expect(parseLink(text)).toMatchObject({ tls: { serverName: 's.example' }, unknown: {} })
  })

  it('is refused where a line asks for REALITY', () => {
    expect(() => parseLink(line('over-tls=true, public-key="k"'))).toThrow('REALITY')
  })
})

describe('transports', () => {
  it.each([
    ['kcp', { net: 'kcp', type: 'http' }, { network: 'kcp', headerType: 'none' }],
    ['a header of kcp', { net: 'kcp', type: 'SRTP' }, { network: 'kcp', headerType: 'srtp' }],
    ['quic', { net: 'quic', type: 'auto' }, { network: 'quic', headerType: 'none' }],
    ['xhttp', { net: 'xhttp', type: 'none' }, { network: 'xhttp', mode: 'auto' }],
    ['multi', { net: 'grpc', type: 'Multi' }, { network: 'grpc', mode: 'multi' }],
    ['headerType', { net: 'tcp', headerType: 'http' }, { network: 'tcp', http: { host: [], path: ['/'] } }],
    ['network', { network: 'ws', path: '/p' }, { network: 'ws', path: '/p' }],
  ])('%s', (_title, fields, transport) => {
    expect(parseLink(v2rayN({ ...minimal, ...fields }))).toMatchObject({ transport, unknown: {} })
  })

  it('of Shadowrocket keep what obfsParam says', () => {
    const kcp = (param: string) => parseLink(cipher(`obfs=mkcp&obfsParam=${encodeURIComponent(param)}`))
    expect(kcp('s').transport).toEqual({ network: 'kcp', headerType: 'none', seed: 's' })
    expect(kcp('{"seed":"s","mtu":1350}')).toMatchObject({
      transport: { seed: 's' },
      unknown: { 'obfsParam.mtu': '1350' },
    })
  })

  it.each([
    ['http', { network: 'tcp', http: { host: ['h.example'], path: ['/p'] } }],
    ['grpc', { network: 'grpc', serviceName: 'svc' }],
    ['httpupgrade', { network: 'httpupgrade', host: 'h.example', path: '/p' }],
  ])('of Loon: %s', (word, transport) => {
    expect(parseLink(line(`transport=${word}, host=h.example, path=/p, serviceName=svc`)).transport).toMatchObject(
      transport,
    )
  })
})

it('reads what lenient readers read', () => {
  const json = JSON.stringify(minimal)
  const texts = [json.replace('}', ',}'), `${json.slice(0, -1)} // mine\n}`, json.replace('"n"', '"n\u0001"')]
  for (const text of texts) expect(parseLink(`vmess://${base64(text)}`), text).toMatchObject({ name: 'n', id })
})

it('says nothing about keys that say nothing', () => {
  expect(parseLink(v2rayN({ ...minimal, '': 'x', pbk: '', class: null })).unknown).toEqual({})
  expect(parseLink(url('=x&flow=&tfo')).unknown).toEqual({ tfo: '' })
})
