import { describe, expect, it } from 'vitest'
import { parseLink } from '../../config/link/share-link.ts'
import { loadConfigValue } from '../../config/load.ts'
import { serverLink, vmessInbound } from './server-link.ts'

const linkOf = (streamSettings: object): string => {
  const clients = [{ id: '8e3d2f6a-51c7-4b0e-9a44-6f0b7d1c2e95' }]
  const inbound = { protocol: 'vmess', port: 443, settings: { clients }, streamSettings }
  const { config } = loadConfigValue({ inbounds: [inbound], outbounds: [{ protocol: 'freedom' }] })
  return serverLink(vmessInbound(config!, 'server.json'), 'example.com', '')
}

describe('the link of a server', () => {
  it.each([
    [{}, { network: 'tcp' }],
    [
      { network: 'ws', wsSettings: { path: '/p?ed=2048', host: 'h.example' } },
      {
        network: 'ws',
        path: '/p',
        host: 'h.example',
        earlyData: { maxBytes: 2048, headerName: 'Sec-WebSocket-Protocol' },
      },
    ],
    [
      { network: 'httpupgrade', httpupgradeSettings: { path: '/u', host: 'h.example' } },
      { network: 'httpupgrade', path: '/u', host: 'h.example' },
    ],
    [
      { tcpSettings: { header: { type: 'http', request: { path: ['/a', '/b'], headers: { Host: ['h', 'i'] } } } } },
      { network: 'tcp', http: { host: ['h', 'i'], path: ['/a', '/b'] } },
    ],
    [
      { network: 'grpc', grpcSettings: { serviceName: 'name', multiMode: true } },
      { network: 'grpc', serviceName: 'name', mode: 'multi', authority: '' },
    ],
    [
      { network: 'h2', httpSettings: { host: ['h'], path: '/p' } },
      { network: 'h2', host: ['h'], path: '/p' },
    ],
  ])('says which transport the file has: %j', (stream, transport) => {
    expect(parseLink(linkOf(stream)).transport).toEqual(transport)
  })
})
