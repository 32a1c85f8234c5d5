import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type EarlyData,
  formatLink,
  type LinkTls,
  type LinkTransport,
  parseLink,
  type ShareLink,
} from '../../src/config/link/share-link.ts'
import { formatUuid } from '../../src/protocol/vmess/identity.ts'
import { id, samples } from './corpus.ts'

const word = fc.stringMatching(/^[a-z0-9]{1,12}$/)
const host = fc.stringMatching(/^[a-z][a-z0-9]{0,10}\.example$/)
const path = fc.stringMatching(/^\/[a-zA-Z0-9._~/-]{0,20}(\?[a-z]=[a-z0-9]{1,5})?$/)
const plainPath = fc.stringMatching(/^\/[a-zA-Z0-9._~/-]{0,20}$/)
const earlyData: fc.Arbitrary<EarlyData> = fc.record({
  maxBytes: fc.integer({ min: 1, max: 99_999 }),
  headerName: fc.constantFrom('Sec-WebSocket-Protocol', 'X-Early'),
})
const upgrade = { path, host: fc.oneof(fc.constant(''), host), earlyData }
const header = fc.constantFrom('none', 'srtp', 'utp', 'wechat-video', 'dtls', 'wireguard')

const transport: fc.Arbitrary<LinkTransport> = fc.oneof(
  fc.constant({ network: 'tcp' as const }),
  fc.record({
    network: fc.constant('tcp' as const),
    http: fc.record({ host: fc.array(host), path: fc.array(plainPath, { minLength: 1 }) }),
  }),
  fc.record({ network: fc.constant('kcp' as const), headerType: header, seed: fc.oneof(fc.constant(''), word) }),
  fc.record({ network: fc.constant('ws' as const), ...upgrade }, { requiredKeys: ['network', 'path', 'host'] }),
  fc.record(
    { network: fc.constant('httpupgrade' as const), ...upgrade },
    { requiredKeys: ['network', 'path', 'host'] },
  ),
  fc.record({ network: fc.constant('xhttp' as const), path, host, mode: fc.constantFrom('auto', 'packet-up') }),
  fc.record({ network: fc.constant('h2' as const), path, host: fc.array(host) }),
  fc.record({
    network: fc.constant('quic' as const),
    security: fc.constantFrom('none', 'aes-128-gcm'),
    key: word,
    headerType: header,
  }),
  fc.record({
    network: fc.constant('grpc' as const),
    serviceName: word,
    mode: fc.constantFrom('gun' as const, 'multi' as const),
    authority: fc.oneof(fc.constant(''), host),
  }),
)

const tls: fc.Arbitrary<LinkTls> = fc.record({
  serverName: fc.oneof(fc.constant(''), host),
  alpn: fc.array(fc.constantFrom('h2', 'http/1.1'), { maxLength: 2 }),
  allowInsecure: fc.boolean(),
  fingerprint: fc.constantFrom('', 'chrome', 'firefox'),
  pinnedCertSha256: fc.array(fc.stringMatching(/^[0-9a-f]{64}$/), { maxLength: 2 }),
  verifyNames: fc.array(host, { maxLength: 2 }),
})

const link: fc.Arbitrary<ShareLink> = fc
  .record(
    {
      name: fc.string({ unit: 'grapheme', minLength: 1 }).filter((name) => parsedName(name) === name),
      address: fc.oneof(host, fc.ipV4(), fc.constantFrom('2001:db8::1', '::1')),
      port: fc.integer({ min: 1, max: 65535 }),
      id: fc.uint8Array({ minLength: 16, maxLength: 16 }).map(formatUuid),
      alterId: fc.integer({ min: 0, max: 65535 }),
      security: fc.constantFrom('auto', 'aes-128-gcm', 'chacha20-poly1305', 'none', 'zero'),
      transport,
      tls,
      experiments: fc.constant(''),
      mux: fc.constant(false),
      unknown: fc.constant({}),
    },
    {
      requiredKeys: [
        'name',
        'address',
        'port',
        'id',
        'alterId',
        'security',
        'transport',
        'experiments',
        'mux',
        'unknown',
      ],
    },
  )
  // A server name equal to the address is the default, and canonical links leave the default out.
  .filter((value) => value.tls?.serverName !== value.address)

const canonical = samples[0]!.means
/** What is left of a name once a link has carried it. */
const parsedName = (name: string) => parseLink(formatLink({ ...canonical, name })).name

describe('writes links in the v2rayN form', () => {
  it('writes strings only, in the order of the table', () => {
    const text = formatLink({
      ...canonical,
      name: 'n',
      alterId: 4,
      transport: { network: 'ws', path: '/p', host: 'h.example', earlyData: { maxBytes: 9, headerName: 'X-Early' } },
      tls: {
        serverName: 's.example',
        alpn: ['h2', 'http/1.1'],
        allowInsecure: true,
        fingerprint: 'chrome',
        pinnedCertSha256: ['ab'.repeat(32)],
        verifyNames: ['v.example'],
      },
    })
    expect(Buffer.from(text.slice('vmess://'.length), 'base64').toString()).toBe(
      `{"v":"2","ps":"n","add":"a.example","port":"443","id":"${id}","aid":"4","scy":"auto","net":"ws","type":"none",` +
        `"host":"h.example","path":"/p?ed=9&eh=X-Early","tls":"tls","sni":"s.example","alpn":"h2,http/1.1","fp":"chrome",` +
        `"insecure":"1","vcn":"v.example","pcs":"${'ab'.repeat(32)}"}`,
    )
  })

  it('pads the base64', () => {
    expect(formatLink({ ...canonical, name: 'a' }).length % 4).toBe('vmess://'.length % 4)
  })

  it('writes a custom id as its UUID', () => {
    expect(parseLink(formatLink({ ...canonical, id: '我爱🍉老师1314' })).id).toBe(id)
  })

  it('names the server where a host would be taken for its name', () => {
    const { tls } = parseLink(formatLink({ ...canonical, ...wsWithHost, tls: noTlsDetails }))
    expect(tls?.serverName).toBe('')
  })

  it.each([
    ['experiments', { experiments: 'AuthenticatedLength' }],
    ['packetEncoding', { packetEncoding: 'xudp' as const }],
    ['mux', { mux: true }],
    ['uplinkCapacity', { transport: { network: 'kcp' as const, headerType: 'none', seed: '', uplinkCapacity: 5 } }],
  ])('refuses what the form cannot say: %s', (name, part) => {
    expect(() => formatLink({ ...canonical, ...part })).toThrow(expect.objectContaining({ code: 'LINK_INVALID' }))
    expect(() => formatLink({ ...canonical, ...part })).toThrow(name)
  })

  it('gives back every link that it wrote', () => {
    fc.assert(
      fc.property(link, (value) => {
        expect(parseLink(formatLink(value))).toEqual(value)
      }),
      { numRuns: 1000 },
    )
  })

  it('carries over every sample that it can express', () => {
    const expressible = samples.filter(({ means }) => means.experiments === '' && !means.packetEncoding && !means.mux)
    for (const { title, means } of expressible) {
      if (title.startsWith('V2RayU: kcp') || means.id !== id) continue
      expect(parseLink(formatLink(means)), title).toEqual({ ...means, unknown: {} })
    }
  })
})

const wsWithHost = { transport: { network: 'ws' as const, path: '/', host: 'h.example' } }
const noTlsDetails: LinkTls = {
  serverName: '',
  alpn: [],
  allowInsecure: false,
  fingerprint: '',
  pinnedCertSha256: [],
  verifyNames: [],
}
