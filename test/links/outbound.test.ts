import { describe, expect, it } from 'vitest'
import { linkToOutbound, parseLink } from '../../src/config/link/share-link.ts'
import { load, quietConfigOf, withOutbound } from '../config/helpers.ts'
import { id, samples, v2rayN } from './corpus.ts'

const minimal = { v: '2', ps: 'n', add: 'a.example', port: '443', id }
const streamOf = (link: string) => linkToOutbound(parseLink(link)).streamSettings

describe('a link as an outbound', () => {
  it('has the V2Ray form', () => {
    expect(linkToOutbound(parseLink(v2rayN({ ...minimal, aid: '4', scy: 'none' })))).toEqual({
      tag: 'n',
      protocol: 'vmess',
      settings: { vnext: [{ address: 'a.example', port: 443, users: [{ id, alterId: 4, security: 'none' }] }] },
      streamSettings: { network: 'tcp', security: 'none' },
    })
  })

  it('carries experiments and UDP encoding', () => {
    const outbound = linkToOutbound(
      parseLink(`vmess://${id}@a.example:443?experiments=NoTerminationSignal&packetEncoding=xudp`),
    )
    expect(outbound.settings).toMatchObject({ vnext: [{ users: [{ experiments: 'NoTerminationSignal' }] }] })
    expect(outbound).toMatchObject({ packetEncoding: 'xudp' })
    expect(outbound.mux).toBeUndefined()
  })

  it('names the UDP encoding as the loader knows it', () => {
    const loaded = (word: string) =>
      load(withOutbound(linkToOutbound(parseLink(`vmess://${id}@a.example:443?packetEncoding=${word}`))))
    for (const word of ['none', 'packet', 'xudp']) {
      expect(quietConfigOf(loaded(word)).outbounds[0]).toMatchObject({ packetEncoding: word })
    }
  })

  it('carries every TLS field', () => {
    const pin = 'cd'.repeat(32)
    const fields = { tls: 'tls', sni: 's.example', alpn: 'h2', fp: 'chrome', insecure: '1', pcs: pin, vcn: 'v.example' }
    expect(streamOf(v2rayN({ ...minimal, ...fields }))).toEqual({
      network: 'tcp',
      security: 'tls',
      tlsSettings: {
        serverName: 's.example',
        alpn: ['h2'],
        allowInsecure: true,
        fingerprint: 'chrome',
        pinnedPeerCertSha256: pin,
        verifyPeerCertByName: 'v.example',
      },
    })
  })

  it.each([
    [
      'ws',
      { net: 'ws', host: 'h.example', path: '/p?ed=5' },
      {
        wsSettings: {
          path: '/p',
          headers: { Host: 'h.example' },
          maxEarlyData: 5,
          earlyDataHeaderName: 'Sec-WebSocket-Protocol',
        },
      },
    ],
    ['h2', { net: 'h2', host: 'h.example', path: '/p' }, { httpSettings: { host: ['h.example'], path: '/p' } }],
    [
      'grpc',
      { net: 'grpc', type: 'multi', path: 's', host: 'a' },
      { grpcSettings: { serviceName: 's', multiMode: true, authority: 'a' } },
    ],
    ['kcp', { net: 'kcp', type: 'utp', path: 's' }, { kcpSettings: { header: { type: 'utp' }, seed: 's' } }],
    [
      'quic',
      { net: 'quic', host: 'none', path: 'k' },
      { quicSettings: { security: 'none', key: 'k', header: { type: 'none' } } },
    ],
    [
      'httpupgrade',
      { net: 'httpupgrade', host: 'h', path: '/p?ed=5' },
      { httpupgradeSettings: { path: '/p?ed=5', host: 'h' } },
    ],
    [
      'xhttp',
      { net: 'xhttp', host: 'h', path: '/p', type: 'auto' },
      { xhttpSettings: { path: '/p', host: 'h', mode: 'auto' } },
    ],
    [
      'tcp',
      { type: 'http', host: 'h', path: '/p' },
      { tcpSettings: { header: { type: 'http', request: { path: ['/p'], headers: { Host: ['h'] } } } } },
    ],
  ])('names the transport and all its parameters: %s', (network, fields, settings) => {
    expect(streamOf(v2rayN({ ...minimal, ...fields }))).toEqual({ network, security: 'none', ...settings })
  })

  it('can be made of every sample', () => {
    for (const { link, means } of samples) {
      const outbound = linkToOutbound(parseLink(link))
      expect(outbound.tag).toBe(means.name)
      expect(outbound.streamSettings).toMatchObject({
        network: means.transport.network,
        security: means.tls ? 'tls' : 'none',
      })
    }
  })
})
