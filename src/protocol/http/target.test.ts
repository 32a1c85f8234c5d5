import { describe, expect, it } from 'vitest'
import type { RequestHead } from './head.ts'
import { targetOf } from './target.ts'

const badRequest = expect.objectContaining({ code: 'HTTP_BAD_REQUEST', status: 400 })
const head = (method: string, target: string, ...hosts: string[]): RequestHead => ({
  method,
  target,
  minor: 1,
  headers: hosts.map((value) => ({ name: 'Host', value })),
})
const explicit = (method: string, target: string, ...hosts: string[]) =>
  targetOf(head(method, target, ...hosts), { transparent: false })
const transparent = (method: string, target: string, ...hosts: string[]) =>
  targetOf(head(method, target, ...hosts), { transparent: true })

describe('targetOf', () => {
  it.each([
    ['http://example.com/a?b=c', 'example.com', 80, 'example.com', '/a?b=c'],
    ['http://example.com:8080', 'example.com', 8080, 'example.com:8080', '/'],
    ['HTTPS://Example.com/x', 'Example.com', 443, 'Example.com', '/x'],
    ['http://example.com?q', 'example.com', 80, 'example.com', '/?q'],
    ['http://user:pa@ss@example.com/x#part', 'example.com', 80, 'example.com', '/x'],
    ['http://[2001:DB8::1]:81/', '2001:db8::1', 81, '[2001:DB8::1]:81', '/'],
    ['http://127.0.0.1:/', '127.0.0.1', 80, '127.0.0.1:', '/'],
    ['ws://example.com/chat', 'example.com', 80, 'example.com', '/chat'],
    ['http://h/\xc3\xa0?\xa0', 'h', 80, 'h', '/\xc3\xa0?\xa0'],
    ['http://a_b.example./', 'a_b.example.', 80, 'a_b.example.', '/'],
  ])('reads %s', (uri, host, port, authority, path) => {
    expect(explicit('GET', uri, 'other.example')).toEqual({ address: { host, port }, authority, path })
  })

  it('reads the authority of CONNECT', () => {
    expect(explicit('CONNECT', 'example.com:443').address).toEqual({ host: 'example.com', port: 443 })
    expect(explicit('CONNECT', '[::1]:443').address).toEqual({ host: '::1', port: 443 })
    expect(explicit('CONNECT', 'example.com').address).toEqual({ host: 'example.com', port: 80 })
  })

  it('looks at the Host header only when it may', () => {
    expect(() => explicit('GET', '/a', 'example.com')).toThrow(badRequest)
    expect(transparent('GET', '/a', 'example.com:81')).toMatchObject({
      address: { host: 'example.com', port: 81 },
      path: '/a',
    })
    expect(transparent('OPTIONS', '*', 'example.com')).toMatchObject({ path: '*' })
    expect(() => transparent('GET', '*', 'example.com')).toThrow(badRequest)
    expect(() => transparent('GET', '/a')).toThrow(badRequest)
    expect(() => transparent('GET', '/a', 'a.example', 'b.example')).toThrow(badRequest)
  })

  it.each([
    'http:///a',
    'http://:80/',
    'http://a:99999/',
    'http://a:x/',
    'http://a b/',
    'http://[::g]/',
    'http://[1.2.3.4x]/',
    'ftp://a/',
    'wss://a/',
    'a:80',
    'http://ä/',
    'http://a%41/',
  ])('refuses %s', (uri) => {
    expect(() => explicit('GET', uri, 'example.com')).toThrow(badRequest)
  })

  it.each(['', ':443', '/', 'http://a/', 'a:b:1', '::1:443', 'u@a:1'])('refuses CONNECT to %j', (authority) => {
    expect(() => explicit('CONNECT', authority)).toThrow(badRequest)
  })

  it('says why', () => {
    expect(() => explicit('GET', 'ftp://a/')).toThrow('ftp: is not served here: the proxy knows http:, ws: and CONNECT')
    expect(() => explicit('GET', '/a')).toThrow('this is a proxy: it is asked with a full URL or with CONNECT')
  })
})
