/** Any server that a link can name. */
import fc from 'fast-check'
import {
  type EarlyData,
  formatLink,
  type LinkTls,
  type LinkTransport,
  parseLink,
  type ShareLink,
} from '../../src/config/link/share-link.ts'
import { formatUuid } from '../../src/protocol/vmess/users/identity.ts'
import { samples } from './corpus.ts'

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

export const link: fc.Arbitrary<ShareLink> = fc
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
export const parsedName = (name: string) => parseLink(formatLink({ ...canonical, name })).name
