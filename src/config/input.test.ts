import { expect, it } from 'vitest'
import type { ConfigInput } from './input.ts'
import { loadConfigValue } from './load.ts'

const id = '0b1f6c7d-9e2a-4d35-8c46-a7b8d9e0f112'

it('takes what the schemas take, and null for nothing', () => {
  const config: ConfigInput = {
    log: { loglevel: 'warning' },
    inbounds: [
      {
        tag: 'in',
        listen: '127.0.0.1',
        port: '10086',
        protocol: 'vmess',
        settings: { clients: [{ id, email: 'a', limits: { quota: '1 GB', expires: null } }, id] },
        streamSettings: { security: 'none', tlsSettings: null },
      },
      { port: 1080, listen: '127.0.0.1', protocol: 'socks' },
    ],
    outbounds: [{ protocol: 'freedom', tag: 'direct' }],
    policy: { levels: { 0: { handshake: 4 } } },
  }
  expect(loadConfigValue(config).config?.inbounds.map(({ protocol }) => protocol)).toEqual(['vmess', 'socks'])
})

it('tells the compiler what is wrong', () => {
  const wrong: ConfigInput[] = [
    // @ts-expect-error a limit beside the limits
    { inbounds: [{ port: 1, protocol: 'vmess', settings: { clients: [{ id, quota: '1 GB' }] } }] },
    // @ts-expect-error no port
    { inbounds: [{ port: true, protocol: 'socks' }] },
    // @ts-expect-error no protocol
    { outbounds: [{ protocol: 'vmes' }] },
    // @ts-expect-error an unknown key
    { inbounts: [] },
  ]
  expect(wrong.map((config) => loadConfigValue(config).problems.length > 0)).toEqual([true, true, true, true])
})
