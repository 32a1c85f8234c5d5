/** Files in V2Ray 5's own format come to the same configuration as their twins in that of V2Ray 4. */
import { describe, expect, test } from 'vitest'
import type { Config } from '../../../src/settings/model.ts'
import { configOf, load } from '../helpers.ts'

const one = '8e3d2f6a-51c7-4b0e-9a44-6f0b7d1c2e95'
const two = 'c1a90b7e-7d2f-4f38-8b15-2f6d0e4a9b73'
const dir = import.meta.dirname
const pem = { certificateFile: `${dir}/../../fixtures/localhost.crt`, keyFile: `${dir}/../../fixtures/localhost.key` }

const twins: Readonly<Record<string, readonly [jsonv5: object, v4: object]>> = {
  'client, SOCKS to VMess over TCP': [
    {
      log: { error: { type: 'Console', level: 'Warning' } },
      inbounds: [
        {
          protocol: 'socks',
          tag: 'socks-in',
          listen: '127.0.0.1',
          port: 1080,
          settings: { address: '127.0.0.1', udpEnabled: true },
        },
      ],
      outbounds: [
        { protocol: 'vmess', tag: 'proxy', settings: { address: 'vpn.example.com', port: 10086, uuid: one } },
      ],
    },
    {
      log: { access: 'none', error: '', loglevel: 'warning' },
      inbounds: [
        {
          protocol: 'socks',
          tag: 'socks-in',
          listen: '127.0.0.1',
          port: 1080,
          settings: { ip: '127.0.0.1', udp: true },
        },
      ],
      outbounds: [
        {
          protocol: 'vmess',
          tag: 'proxy',
          settings: { vnext: [{ address: 'vpn.example.com', port: 10086, users: [{ id: one }] }] },
        },
      ],
    },
  ],
  'client, WebSocket and TLS': [
    {
      inbounds: [
        {
          protocol: 'socks',
          listen: '127.0.0.1',
          port: 1080,
          sniffing: { enabled: true, destOverride: ['http', 'tls'] },
        },
        { protocol: 'http', listen: '127.0.0.1', port: 8118 },
      ],
      outbounds: [
        {
          protocol: 'vmess',
          settings: { address: '192.0.2.15', port: 443, uuid: two },
          streamSettings: {
            transport: 'ws',
            transportSettings: { path: '/ray', header: [{ key: 'Host', value: 'www.example.com' }] },
            security: 'tls',
            securitySettings: { serverName: 'www.example.com', nextProtocol: ['http/1.1'] },
          },
          mux: { enabled: true, concurrency: 8 },
        },
      ],
    },
    {
      log: { access: 'none' },
      inbounds: [
        {
          protocol: 'socks',
          listen: '127.0.0.1',
          port: 1080,
          sniffing: { enabled: true, destOverride: ['http', 'tls'] },
        },
        { protocol: 'http', listen: '127.0.0.1', port: 8118 },
      ],
      outbounds: [
        {
          protocol: 'vmess',
          settings: { vnext: [{ address: '192.0.2.15', port: 443, users: [{ id: two }] }] },
          streamSettings: {
            network: 'ws',
            wsSettings: { path: '/ray', headers: { Host: 'www.example.com' } },
            security: 'tls',
            tlsSettings: { serverName: 'www.example.com', alpn: ['http/1.1'] },
          },
          mux: { enabled: true, concurrency: 8 },
        },
      ],
    },
  ],
  'server, TCP, two users': [
    {
      log: { access: { type: 'Console' }, error: { type: 'Console', level: 'Warning' } },
      inbounds: [{ protocol: 'vmess', port: 10086, settings: { users: [one, two] } }],
      outbounds: [{ protocol: 'freedom' }],
    },
    {
      log: { access: '', error: '', loglevel: 'warning' },
      inbounds: [{ protocol: 'vmess', port: 10086, settings: { clients: [{ id: one }, { id: two }] } }],
      outbounds: [{ protocol: 'freedom' }],
    },
  ],
  'server, WebSocket and TLS': [
    {
      inbounds: [
        {
          protocol: 'vmess',
          port: 443,
          settings: { users: [two] },
          streamSettings: {
            transport: 'ws',
            transportSettings: { path: '/ray', max_early_data: 2048 },
            security: 'tls',
            securitySettings: { certificate: [{ usage: 'ENCIPHERMENT', ...pem }], minVersion: 'TLS1_2' },
          },
        },
      ],
      outbounds: [{ protocol: 'freedom' }],
      services: {
        policy: { level: { '0': { timeout: { connectionIdle: { value: 300 } }, buffer: { connection: 65536 } } } },
        stats: {},
        commander: { tag: 'api', name: ['stats', 'proxyman'] },
      },
    },
    {
      log: { access: 'none' },
      inbounds: [
        {
          protocol: 'vmess',
          port: 443,
          settings: { clients: [{ id: two }] },
          streamSettings: {
            network: 'ws',
            wsSettings: { path: '/ray', maxEarlyData: 2048 },
            security: 'tls',
            tlsSettings: { certificates: [{ usage: 'encipherment', ...pem }], minVersion: '1.2' },
          },
        },
      ],
      outbounds: [{ protocol: 'freedom' }],
      policy: { levels: { '0': { connIdle: 300, bufferSize: 64 } } },
      stats: {},
      api: { tag: 'api', services: ['StatsService', 'HandlerService'] },
    },
  ],
  'VMess by its full message names': [
    {
      inbounds: [
        {
          protocol: '#v2ray.core.proxy.vmess.inbound.Config',
          port: 10086,
          settings: {
            user: [
              {
                level: 1,
                email: 'a@example.com',
                account: { '@type': 'types.v2fly.org/v2ray.core.proxy.vmess.Account', id: one, alterId: 4 },
              },
            ],
            secureEncryptionOnly: true,
          },
        },
      ],
      outbounds: [
        {
          protocol: '#v2ray.core.proxy.vmess.outbound.Config',
          settings: {
            Receiver: [
              {
                address: 'a.example',
                port: '443',
                user: [
                  {
                    account: {
                      '@type': 'v2ray.core.proxy.vmess.Account',
                      id: two,
                      securitySettings: { type: 'CHACHA20_POLY1305' },
                    },
                  },
                ],
              },
            ],
          },
        },
      ],
    },
    {
      log: { access: 'none' },
      inbounds: [
        {
          protocol: 'vmess',
          port: 10086,
          settings: {
            clients: [{ id: one, alterId: 4, level: 1, email: 'a@example.com' }],
            disableInsecureEncryption: true,
          },
        },
      ],
      outbounds: [
        {
          protocol: 'vmess',
          settings: {
            vnext: [{ address: 'a.example', port: 443, users: [{ id: two, security: 'chacha20-poly1305' }] }],
          },
        },
      ],
    },
  ],
  'DNS, rules and a balancer': [
    {
      dns: {
        tag: 'dns-in',
        queryStrategy: 'USE_IP4',
        nameServer: [
          { address: { address: 'https+local://192.0.2.53/dns-query' } },
          {
            address: { network: 'UDP', address: '192.0.2.54', port: 53 },
            prioritizedDomain: [{ type: 'Subdomain', domain: 'home.example' }],
          },
        ],
        staticHosts: [{ type: 'Full', domain: 'nas.home.example', ip: ['192.0.2.200'] }],
      },
      router: {
        domainStrategy: 'IpIfNonMatch',
        rule: [
          { tag: 'direct', inboundTag: ['dns-in'] },
          { tag: 'direct', domain: [{ type: 'RootDomain', value: 'home.example' }, { value: 'printer' }] },
          {
            tag: 'direct',
            geoip: [
              { code: 'private' },
              { code: 'cn', inverseMatch: true },
              { cidr: [{ ipAddr: '198.51.100.0', prefix: 24 }] },
            ],
          },
          { tag: 'direct', networks: 'udp', portList: '443, 1000-2000' },
          { balancingTag: 'pool', inboundTag: ['socks-in'] },
        ],
        balancingRule: [{ tag: 'pool', outbound_selector: ['direct'], strategy: 'leastping', fallback_tag: 'direct' }],
      },
      inbounds: [{ protocol: 'socks', tag: 'socks-in', listen: '127.0.0.1', port: 1080 }],
      outbounds: [{ protocol: 'freedom', tag: 'direct' }],
      services: { backgroundObservatory: { subjectSelector: ['direct'], probeInterval: 60_000_000_000 } },
    },
    {
      log: { access: 'none' },
      dns: {
        tag: 'dns-in',
        queryStrategy: 'UseIPv4',
        servers: [
          'https+local://192.0.2.53/dns-query',
          { address: '192.0.2.54', port: 53, domains: ['domain:home.example'] },
        ],
        hosts: { 'full:nas.home.example': ['192.0.2.200'] },
      },
      routing: {
        domainStrategy: 'IPIfNonMatch',
        rules: [
          { outboundTag: 'direct', inboundTag: ['dns-in'] },
          { outboundTag: 'direct', domain: ['domain:home.example', 'keyword:printer'] },
          { outboundTag: 'direct', ip: ['geoip:private', 'geoip:!cn', '198.51.100.0/24'] },
          { outboundTag: 'direct', network: 'udp', port: '443,1000-2000' },
          { balancerTag: 'pool', inboundTag: ['socks-in'] },
        ],
        balancers: [{ tag: 'pool', selector: ['direct'], strategy: { type: 'leastPing' }, fallbackTag: 'direct' }],
      },
      inbounds: [{ protocol: 'socks', tag: 'socks-in', listen: '127.0.0.1', port: 1080 }],
      outbounds: [{ protocol: 'freedom', tag: 'direct' }],
      observatory: { subjectSelector: ['direct'], probeInterval: '60s' },
    },
  ],
  'local inbounds, a redirect and a strategy': [
    {
      log: { error: { type: 'None' } },
      inbounds: [
        {
          protocol: 'dokodemo-door',
          listen: '127.0.0.1',
          port: '1053',
          settings: { address: '1.1.1.1', port: 53, networks: ['TCP', 'udp'] },
          streamSettings: { socketSettings: { tcpKeepAliveIdle: 60 } },
        },
      ],
      outbounds: [
        {
          protocol: 'freedom',
          settings: { destinationOverride: { server: { address: '127.0.0.1', port: 53 } } },
          domainStrategy: 'UseIP4',
        },
        { protocol: 'blackhole', tag: 'block' },
      ],
    },
    {
      log: { access: 'none', loglevel: 'none' },
      inbounds: [
        {
          protocol: 'dokodemo-door',
          listen: '127.0.0.1',
          port: '1053',
          settings: { address: '1.1.1.1', port: 53, network: 'tcp,udp' },
          streamSettings: { sockopt: { tcpKeepAliveIdle: 60 } },
        },
      ],
      outbounds: [
        { protocol: 'freedom', settings: { redirect: '127.0.0.1:53', domainStrategy: 'UseIPv4' } },
        { protocol: 'blackhole', tag: 'block' },
      ],
    },
  ],
}

/** Where something stands in its file is no part of what it says. */
const places = ['at', 'line', 'column']
const said = (config: Config): unknown =>
  JSON.parse(JSON.stringify(config, (key, value) => (key === 'error' || places.includes(key) ? undefined : value)))

describe('twins', () => {
  test.each(Object.entries(twins))('%s', (_, [jsonv5, v4]) => {
    const result = load(jsonv5, { format: 'jsonv5' })
    expect(said(configOf(result))).toEqual(said(configOf(load(v4))))
  })
})
