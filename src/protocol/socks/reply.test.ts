import { expect, it } from 'vitest'
import { ProxyError } from '../../core/errors.ts'
import { type ReplyCode, replyCodeFor, socksReply } from './reply.ts'

const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex')

it('tells the bound address to SOCKS5 clients if it is one', () => {
  expect(hex(socksReply(5, 0, { host: '127.0.0.1', port: 39103 }))).toBe('050000017f00000198bf')
  expect(hex(socksReply(5, 0, { host: '::1', port: 80 }))).toBe('05000004000000000000000000000000000000010050')
  expect(hex(socksReply(5, 0, { host: 'example.com', port: 80 }))).toBe('05000001000000000000')
  expect(hex(socksReply(5, 0, { host: '', port: 0, path: '/run/x' }))).toBe('05000001000000000000')
  expect(hex(socksReply(5, 7))).toBe('05070001000000000000')
})

it('knows two answers for SOCKS4', () => {
  expect(hex(socksReply(4, 0, { host: '127.0.0.1', port: 1 }))).toBe('005a000000000000')
  expect(hex(socksReply(4, 5))).toBe('005b000000000000')
})

it.each([
  ['DIAL_REFUSED', 5],
  ['DIAL_TIMEOUT', 4],
  ['DNS_FAILED', 4],
  ['DIAL_UNREACHABLE', 3],
  ['OUTBOUND_BLOCKED', 2],
  ['TLS_FAILED', 1],
  ['NO_OUTBOUND', 1],
] as const)('%s is answered with %i', (code, reply: ReplyCode) => {
  expect(replyCodeFor(new ProxyError(code, ''))).toBe(reply)
})
