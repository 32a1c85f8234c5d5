/** One test per row of the table of xhttpSettings. */
import { describe, expect, test } from 'vitest'
import type { XhttpConfig } from '../../../src/settings/xhttp.ts'
import { xhttpConfig } from '../../support/xhttp-rig.ts'
import { configOf, errorOf, load, outboundOf, uuid, vmessIn, vmessOut, warningOf } from '../helpers.ts'

const out = (xhttpSettings: object, key = 'xhttpSettings') =>
  load(vmessOut({}, {}, { streamSettings: { network: 'xhttp', [key]: xhttpSettings } }))
const settingsOf = (xhttpSettings: object, key?: string): XhttpConfig =>
  outboundOf(out(xhttpSettings, key), 'vmess').stream.transport as XhttpConfig
const shapeOf = (xhttpSettings: object) => settingsOf(xhttpSettings).shape
const at = 'outbounds[0].streamSettings.xhttpSettings'

test('without a word everything has Xray’s defaults', () => {
  const { shape, ...rest } = xhttpConfig()
  expect(settingsOf({})).toEqual({ shape: { ...shape, base: '/' }, ...rest, postsIntervalMs: { from: 30, to: 30 } })
})

test('the old names of the transport and its settings', () => {
  const inbound = vmessIn(
    { clients: [{ id: uuid }] },
    { streamSettings: { network: 'splithttp', splithttpSettings: { path: 'x' } } },
  )
  expect(configOf(load(inbound)).inbounds[0]!.stream).toMatchObject({
    network: 'xhttp',
    transport: { shape: { base: '/x/' } },
  })
  expect(settingsOf({ maxUploadSize: 5, minUploadIntervalMs: '7-9' }, 'splithttpSettings')).toMatchObject({
    postBytes: { from: 5, to: 5 },
    postsIntervalMs: { from: 7, to: 9 },
  })
  expect(shapeOf({ sessionPlacement: 'query', sessionKey: 's' }).session).toEqual({ at: 'query', key: 's' })
  warningOf(out({ scMaxConcurrentPosts: 10 }), 'CFG030', `${at}.scMaxConcurrentPosts`)
})

describe('path, host and mode', () => {
  test.each([
    ['', '/', ''],
    ['x', '/x/', ''],
    ['/x/?a=b&ed=2048', '/x/', 'a=b&ed=2048'],
  ])('path %j', (path, base, query) => {
    expect(shapeOf({ path })).toMatchObject({ base, query })
  })

  test('a path gets no slash where nothing follows it', () => {
    expect(shapeOf({ path: '/x', sessionIDPlacement: 'header', seqPlacement: 'header' })).toMatchObject({
      base: '/x',
      session: { at: 'header', key: 'X-Session' },
      seq: { at: 'header', key: 'X-Seq' },
    })
    errorOf(out({ path: '/a\n' }), 'CFG022', `${at}.path`)
    expect(shapeOf({ path: '/ä %20?b=ä c' })).toMatchObject({ base: '/ä %20/', query: 'b=%C3%A4%20c' })
  })

  test('host, also among the headers', () => {
    expect(settingsOf({ host: 'a', headers: { Host: 'b', 'X-C': 'd' } })).toMatchObject({
      host: 'a',
      servedHost: 'a',
      headers: { 'X-C': 'd' },
    })
    expect(settingsOf({ headers: { host: 'b' } }).host).toBe('b')
    errorOf(out({ host: ' /b' }), 'CFG022', `${at}.host`)
    errorOf(out({ headers: { 'a b': '' } }), 'CFG022', `${at}.headers`)
  })

  test('mode', () => {
    expect(shapeOf({ mode: 'stream-up' }).mode).toBe('stream-up')
    expect(errorOf(out({ mode: 'stream-uo' }), 'CFG025', `${at}.mode`).hint).toBe('did you mean "stream-up"?')
  })
})

describe('ranges', () => {
  test.each([
    [500, { from: 500, to: 500 }],
    ['10-20', { from: 10, to: 20 }],
    ['20-10', { from: 10, to: 20 }],
    [0, { from: 100, to: 1_000 }],
  ])('%j', (xPaddingBytes, bytes) => {
    expect(shapeOf({ xPaddingBytes }).padding.bytes).toEqual(bytes)
  })

  test('that are none, or not to be had', () => {
    errorOf(out({ xPaddingBytes: 'many' }), 'CFG022', `${at}.xPaddingBytes`)
    errorOf(out({ xPaddingBytes: '-1-5' }), 'CFG023', `${at}.xPaddingBytes`)
    errorOf(out({ xPaddingBytes: 100_000 }), 'CFG023', `${at}.xPaddingBytes`)
    errorOf(out({ scMaxEachPostBytes: -1 }), 'CFG023', `${at}.scMaxEachPostBytes`)
    expect(settingsOf({ scStreamUpServerSecs: -1 }).streamUpServerSecs.to).toBe(-1)
  })
})

test('padding in another place counts only with xPaddingObfsMode', () => {
  const placed = { xPaddingPlacement: 'cookie', xPaddingKey: 'k', xPaddingMethod: 'tokenish' }
  expect(shapeOf(placed).padding).toEqual({ bytes: { from: 100, to: 1_000 }, method: 'repeat-x' })
  expect(shapeOf({ ...placed, xPaddingObfsMode: true }).padding).toEqual({
    bytes: { from: 100, to: 1_000 },
    placed: { at: 'cookie', key: 'k', header: 'X-Padding' },
    method: 'tokenish',
  })
})

test('uploads in headers and cookies, and by GET, are for packet-up alone', () => {
  const cookie = { mode: 'packet-up', uplinkDataPlacement: 'cookie', uplinkHTTPMethod: 'get', uplinkChunkSize: 1 }
  expect(shapeOf(cookie)).toMatchObject({
    data: { at: 'cookie', key: 'x_data', chunk: { from: 64, to: 64 } },
    method: 'GET',
  })
  errorOf(out({ uplinkDataPlacement: 'header' }), 'CFG025', `${at}.uplinkDataPlacement`)
  errorOf(out({ uplinkHTTPMethod: 'GET' }), 'CFG025', `${at}.uplinkHTTPMethod`)
  errorOf(out({ uplinkHTTPMethod: 'A B' }), 'CFG022', `${at}.uplinkHTTPMethod`)
})

test('session ids of a table must be too many to guess', () => {
  expect(settingsOf({ sessionIDTable: 'hex', sessionIDLength: '16-20' }).ids).toEqual({
    table: '0123456789abcdef',
    length: { from: 16, to: 20 },
  })
  errorOf(out({ sessionIDTable: 'number', sessionIDLength: 9 }), 'CFG023', `${at}.sessionIDLength`)
  errorOf(out({ sessionIDTable: 'a/b', sessionIDLength: 64 }), 'CFG022', `${at}.sessionIDTable`)
})

test('xmux', () => {
  expect(settingsOf({ xmux: { maxConcurrency: '16-32', hKeepAlivePeriod: -1 } }).xmux).toMatchObject({
    maxConcurrency: { from: 16, to: 32 },
    maxConnections: { from: 0, to: 0 },
    hMaxRequestTimes: { from: 0, to: 0 },
    keepAliveMs: 0,
  })
  errorOf(out({ xmux: { maxConcurrency: 1, maxConnections: 1 } }), 'CFG035', `${at}.xmux.maxConnections`)
})

test('extra stands for everything but host, path and mode', () => {
  const result = out({ path: '/p', noSSEHeader: true, extra: { noGRPCHeader: true, path: '/q' } })
  warningOf(result, 'CFG035', `${at}.noSSEHeader`)
  warningOf(result, 'CFG020', `${at}.extra.path`)
  expect(settingsOf({ path: '/p', noSSEHeader: true, extra: { noGRPCHeader: true } })).toMatchObject({
    shape: { base: '/p/' },
    noGrpcHeader: true,
    noSseHeader: false,
  })
})

test('downloadSettings is refused by its name', () => {
  const error = errorOf(
    out({ extra: { downloadSettings: { address: 'a', port: 443 } } }),
    'CFG031',
    `${at}.extra.downloadSettings`,
  )
  expect(error.message).toContain('both halves of a connection go to one server here')
})

test('HTTP/3 is refused by name, and no matter beside others', () => {
  const withAlpn = (network: string, alpn: unknown) =>
    load(vmessOut({}, {}, { streamSettings: { network, security: 'tls', tlsSettings: { alpn } } }))
  for (const alpn of ['h3', ['h3']]) {
    const { message } = errorOf(withAlpn('xhttp', alpn), 'CFG034', 'outbounds[0].streamSettings.tlsSettings.alpn')
    expect(message).toContain('"h3" alone asks for HTTP/3')
  }
  configOf(withAlpn('xhttp', ['h3', 'h2']))
  configOf(withAlpn('ws', ['h3']))
})
