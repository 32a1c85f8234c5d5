import { describe, expect, test } from 'vitest'
import type { InboundStreamConfig } from '../../../src/settings/stream.ts'
import { configOf, errorOf, load, vmessOut, warningOf, withInbound } from '../helpers.ts'

const at = 'inbounds[0].streamSettings'
const withStream = (streamSettings: object) =>
  load(withInbound({ settings: { clients: [] }, streamSettings: { network: 'ws', ...streamSettings } }))
const streamOf = (streamSettings: object): InboundStreamConfig =>
  configOf(withStream(streamSettings)).inbounds[0]!.stream

describe('fallback', () => {
  test.each([
    [8080, { to: { host: '127.0.0.1', port: 8080 } }],
    ['8080', { to: { host: '127.0.0.1', port: 8080 } }],
    ['web:80', { to: { host: 'web', port: 80 } }],
    ['[::1]:80', { to: { host: '::1', port: 80 } }],
    ['/run/web.sock', { to: { host: '', port: 0, path: '/run/web.sock' } }],
    ['unix:/run/web.sock', { to: { host: '', port: 0, path: '/run/web.sock' } }],
    [{ dest: 8080 }, { to: { host: '127.0.0.1', port: 8080 } }],
    [{ dest: '@web', xver: 0 }, { to: { host: '', port: 0, path: '\0web' } }],
    [{ root: '/var/www/html' }, { root: '/var/www/html' }],
  ])('%j', (fallback, expected) => {
    expect(streamOf({ fallback }).fallback).toMatchObject(expected)
  })

  test.each([
    ['CFG024', {}, ''],
    ['CFG022', { root: 'html' }, '.root'],
    ['CFG022', { root: '/a', dest: 1 }, '.root'],
    ['CFG028', 'web', ''],
    ['CFG028', 'http://web:80', ''],
    ['CFG028', { dest: 'a:70000' }, '.dest'],
    ['CFG033', { dest: 1, xver: 1 }, '.xver'],
  ])('%s for %j', (code, fallback, path) => {
    errorOf(withStream({ fallback }), code, `${at}.fallback${path}`)
  })

  test('is for a server of a transport that reads requests', () => {
    warningOf(withStream({ network: 'tcp', fallback: 80 }), 'CFG030', `${at}.fallback`)
    const client = vmessOut({}, {}, { streamSettings: { network: 'ws', fallback: 80 } })
    warningOf(load(client), 'CFG030', 'outbounds[0].streamSettings.fallback')
  })
})

describe('trusted proxies', () => {
  const trustOf = (sockopt: object) => streamOf({ sockopt }).trust

  test('are loopback and unix sockets unless it is said otherwise', () => {
    expect(trustOf({})).toEqual({
      networks: [
        { bytes: Uint8Array.of(127, 0, 0, 0), bits: 8 },
        { bytes: new Uint8Array(16).fill(1, 15), bits: 128 },
      ],
      unix: true,
      headers: [],
    })
    expect(trustOf({ trustedProxies: [] })).toEqual({ networks: [], unix: false, headers: [] })
    expect(trustOf({ trustedProxies: '10.0.0.0/8, unix', trustedXForwardedFor: ['CF-Ray'] })).toEqual({
      networks: [{ bytes: Uint8Array.of(10, 0, 0, 0), bits: 8 }],
      unix: true,
      headers: ['CF-Ray'],
    })
  })

  test('are addresses', () => {
    errorOf(withStream({ sockopt: { trustedProxies: ['proxy'] } }), 'CFG028', `${at}.sockopt.trustedProxies`)
  })

  test.each([
    'trustedProxies',
    'trustedXForwardedFor',
  ])('%s is for a server of a transport that reads requests', (key) => {
    const sockopt = { [key]: ['::1'] }
    warningOf(withStream({ network: 'tcp', sockopt }), 'CFG030', `${at}.sockopt.${key}`)
    const client = vmessOut({}, {}, { streamSettings: { network: 'ws', sockopt } })
    warningOf(load(client), 'CFG030', `outbounds[0].streamSettings.sockopt.${key}`)
  })
})
