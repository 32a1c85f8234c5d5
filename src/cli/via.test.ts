import { describe, expect, it } from 'vitest'
import { readVia } from './via.ts'

const of = (text: string, env: Record<string, string> = {}) => readVia(text, env, 'server.example')
const settings = (text: string) => of(text)!.outbound.settings

describe('--via', () => {
  it.each([
    ['socks5://proxy.example:9', 'socks', { address: 'proxy.example', port: 9 }],
    ['SOCKS5H://proxy.example', 'socks', { address: 'proxy.example', port: 1080 }],
    ['socks4a://[::1]:9/', 'socks', { address: '::1', port: 9, version: '4a' }],
    ['socks4://a', 'socks', { address: 'a', port: 1080, version: '4' }],
    ['http://a:80', 'http', { address: 'a', port: 80 }],
    ['proxy.example:3128', 'http', { address: 'proxy.example', port: 3128 }],
    ['http://us%40er:p%3Aw@a:3128', 'http', { address: 'a', port: 3128, user: 'us@er', pass: 'p:w' }],
  ])('%s', (text, protocol, expected) => {
    expect(of(text)!.outbound).toEqual({ tag: 'via', protocol, settings: expected })
  })

  it('speaks TLS with an https:// proxy', () => {
    expect(of('https://a')!.outbound).toMatchObject({ streamSettings: { security: 'tls' }, settings: { port: 443 } })
  })

  it('never shows a password', () => {
    expect(of('socks5://user:secret@a:9')!.shown).toBe('socks5://a:9')
    for (const wrong of [
      'ftp://u:secret@a',
      'http://u:secret@',
      'http://u:secret@a/path',
      'http://u:secret%@a',
      'http://secret@a:x',
    ]) {
      let message = ''
      try {
        of(wrong)
      } catch (error) {
        message = (error as Error).message
      }
      expect(message, wrong).toMatch(/^--via: /)
      expect(message).not.toContain('secret')
    }
  })

  it('takes what the environment names, in this order', () => {
    const all = { ALL_PROXY: 'socks5://d', all_proxy: 'socks5://c', HTTPS_PROXY: 'http://b', https_proxy: 'http://a' }
    const left = { ...all } as Record<string, string>
    for (const [name, host] of [
      ['https_proxy', 'a'],
      ['HTTPS_PROXY', 'b'],
      ['all_proxy', 'c'],
      ['ALL_PROXY', 'd'],
    ] as const) {
      expect(of('env', left)!.outbound.settings).toMatchObject({ address: host })
      delete left[name]
    }
    expect(() => of('env', left)).toThrow(/neither HTTPS_PROXY nor ALL_PROXY is set/)
    expect(() => of('env', { ALL_PROXY: 'ftp://u:secret@a' })).toThrow(/^ALL_PROXY: that is no proxy/)
  })

  it('goes straight where NO_PROXY names the server', () => {
    const ALL_PROXY = 'socks5://a'
    for (const NO_PROXY of ['*', 'server.example', 'a.b, .EXAMPLE', 'example', '*.example']) {
      expect(of('env', { ALL_PROXY, NO_PROXY }), NO_PROXY).toBeUndefined()
    }
    for (const NO_PROXY of ['', 'rver.example', 'www.server.example']) {
      expect(of('env', { ALL_PROXY, NO_PROXY }), NO_PROXY).toBeDefined()
    }
    expect(settings('socks5://a')).toBeDefined()
  })
})
