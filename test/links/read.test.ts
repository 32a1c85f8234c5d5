import { describe, expect, it } from 'vitest'
import { parseLink } from '../../src/config/link/share-link.ts'
import { isProxyError } from '../../src/core/errors.ts'
import { cipherSamples, draftSamples, id, otherSamples, samples, urlSamples, v2rayN, v2rayNSamples } from './corpus.ts'

describe.each([
  ['v2rayN', v2rayNSamples],
  ['URL form', urlSamples],
  ['v2fly draft', draftSamples],
  ['CIPHER:ID@HOST:PORT', cipherSamples],
  ['other programs', otherSamples],
])('reads links: %s', (_form, list) => {
  it.each(list.map((sample) => [sample.title, sample] as const))('%s', (_title, { link, means }) => {
    expect(parseLink(link)).toEqual(means)
  })
})

const minimal = { v: '2', add: 'a.example', port: '443', id }
const base64 = (text: string) => Buffer.from(text).toString('base64')

/** Link, and the words that its message must hold. */
const broken: readonly (readonly [title: string, link: string, ...words: string[]])[] = [
  ['nothing', '', 'scheme', 'vmess://'],
  ['plain text', 'hello', 'scheme'],
  ['another protocol', `vless://${id}@a.example:443`, '"vless"', 'another protocol'],
  ['an empty link', 'vmess://', 'base64'],
  ['neither base64 nor an authority', 'vmess://!!!', 'base64'],
  ['base64 of something else', `vmess://${base64('hello world')}`, 'neither JSON nor'],
  ['broken JSON', `vmess://${base64(`{"id":"${id}","}`)}`, 'JSON', 'whole'],
  ['JSON without a comma', `vmess://${base64(`{"id":"${id}" "add":"a"}`)}`, 'JSON', 'whole'],
  ['text behind the JSON', `vmess://${base64(`${JSON.stringify(minimal)}x`)}`, 'JSON', 'whole'],
  ['a truncated link', v2rayN(minimal).slice(0, -20), 'JSON'],
  ['no address', v2rayN({ ...minimal, add: '' }), '"add"', 'missing'],
  ['an address with a port', v2rayN({ ...minimal, add: 'a.example:443' }), '"add"', 'not a host'],
  ['an address with a blank', v2rayN({ ...minimal, add: 'a example' }), '"add"'],
  ['no port', v2rayN({ ...minimal, port: undefined }), '"port"', 'missing'],
  ['port 0', v2rayN({ ...minimal, port: 0 }), '"port"', '"0"', '1 to 65535'],
  ['port 65536', v2rayN({ ...minimal, port: '65536' }), '"port"', '"65536"'],
  ['half a port', v2rayN({ ...minimal, port: 44.3 }), '"port"', '"44.3"'],
  ['a list as port', v2rayN({ ...minimal, port: [443] }), '"port"', 'list'],
  ['no id', v2rayN({ ...minimal, id: undefined }), '"id"', 'missing'],
  ['a broken id', v2rayN({ ...minimal, id: `${id.slice(0, -1)}x` }), '"id"', 'UUID'],
  ['a custom id of 31 bytes', v2rayN({ ...minimal, id: 'x'.repeat(31) }), '"id"', '30'],
  ['a negative alterId', v2rayN({ ...minimal, aid: -1 }), '"aid"', '65535'],
  ['alterId 65536', v2rayN({ ...minimal, aid: '65536' }), '"aid"'],
  ['an unknown transport', v2rayN({ ...minimal, net: 'carrier-pigeon' }), '"net"', 'carrier-', 'tcp, kcp, ws'],
  ['an unknown TLS word', v2rayN({ ...minimal, tls: 'ssl' }), '"tls"', '"ssl"'],
  ['REALITY in JSON', v2rayN({ ...minimal, tls: 'reality' }), '"tls"', 'REALITY'],
  ['a doubtful insecure', v2rayN({ ...minimal, tls: 'tls', insecure: 'maybe' }), 'allowInsecure', '"maybe"'],
  ['a short pin', v2rayN({ ...minimal, tls: 'tls', pcs: 'abcd' }), 'pin', '64 hex'],
  ['a "security" that says neither TLS nor a cipher', v2rayN({ ...minimal, security: 'ssl' }), '"security"', '"ssl"'],
  ['REALITY as "security"', v2rayN({ ...minimal, security: 'reality' }), 'REALITY'],
  ['a REALITY key in JSON', v2rayN({ ...minimal, tls: 'tls', pbk: 'abc' }), 'pbk', 'REALITY'],
  ['REALITY in a URL', `vmess://${id}@a.example:443?security=reality`, 'security', 'REALITY'],
  ['a REALITY key in a URL', `vmess://${id}@a.example:443?pbk=abc`, 'pbk', 'REALITY'],
  ['no port in a URL', `vmess://${id}@a.example`, 'port', 'missing'],
  ['no id in a URL', 'vmess://@a.example:443', 'user id', 'missing'],
  ['a colon before @', `vmess://automatic:${id}@a.example:443`, 'before @', 'colon'],
  ['a parameter twice', `vmess://${id}@a.example:443?type=ws&type=tcp`, '"type"', 'twice'],
  ['an unknown UDP encoding', `vmess://${id}@a.example:443?packetEncoding=x`, 'packetEncoding', 'xudp'],
  ['early data that is no number', `vmess://${id}@a.example:443?type=ws&ed=many`, 'ed', 'bytes'],
  ['the address of a subscription', 'https://a.example/sub?token=1', '"https"', 'subscription'],
  ['a draft with an unknown transport', `vmess://pigeon+tls:${id}-0@a.example:443/`, 'colon'],
  ['Kitsunebi without an id', 'vmess1://a.example:443?network=tcp', 'user id'],
  ['a Surge line without an id', 'n = vmess, a.example, 443', 'user id', 'missing'],
  ['a megabyte', `vmess://${'A'.repeat(1_000_000)}`, 'too long'],
]

describe('refuses links', () => {
  it.each(broken)('%s', (_title, link, ...words) => {
    const error = failureOf(link)
    expect(isProxyError(error) && error.code).toBe('LINK_INVALID')
    for (const word of words) expect(error?.message).toContain(word)
  })

  it('never repeats a whole id, wherever it stands', () => {
    const links = [
      v2rayN({ ...minimal, id: `${id}${id}` }),
      v2rayN({ ...minimal, port: id }),
      v2rayN({ ...minimal, net: id }),
      v2rayN({ ...minimal, tls: id }),
      v2rayN({ ...minimal, add: `${id}/` }),
      `vmess://${base64(`{"id":"${id}"`)}`,
      `vmess://x:${id}@a.example:443`,
      `vmess://${id}@a.example:${id}`,
      `${id}://a`,
    ]
    for (const link of links) {
      const error = failureOf(link)
      expect(isProxyError(error) && error.code, link).toBe('LINK_INVALID')
      expect(`${error?.message}${String(error?.cause ?? '')}${error?.stack}`).not.toContain(id.slice(9))
    }
  })
})

it('has a sample of every form', () => {
  expect(samples.length).toBeGreaterThan(90)
})

function failureOf(link: string): Error | undefined {
  try {
    parseLink(link)
    return undefined
  } catch (error) {
    return error as Error
  }
}
