/** Outbounds to SOCKS and HTTP proxies, against V2Ray's proxies with ours and against ours with V2Ray's. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { socksUdp } from '../support/socks-udp.ts'
import { pattern, udpEcho } from '../support/udp.ts'
import { certificateFile, keyFile, type Root } from './rig/configs.ts'
import { hasV2ray, type Program } from './rig/harness.ts'
import { door, freedom, freePorts, withHops } from './rig/hops.ts'
import { socksConnect } from './rig/socks-client.ts'
import { checkTraffic, type TrafficPlan } from './rig/traffic.ts'
import { startTarget, type Target } from './target.ts'

interface Row {
  readonly name: string
  readonly inbound: Root
  readonly server: Root
  readonly outbound?: Root
  readonly udp?: boolean
}

const login = { user: 'alice', pass: 'secret' }
const tls = { security: 'tls', tlsSettings: { certificates: [{ certificateFile, keyFile }] } }
const trusting = {
  security: 'tls',
  tlsSettings: {
    serverName: 'localhost',
    disableSystemRoot: true,
    certificates: [{ usage: 'verify', certificateFile }],
  },
}
const users = { users: [login] }
const password = { auth: 'password', accounts: [login], udp: true, ip: '127.0.0.1' }

const rows: readonly Row[] = [
  { name: 'socks', inbound: { protocol: 'socks', settings: { udp: true, ip: '127.0.0.1' } }, server: {}, udp: true },
  { name: 'socks with a login', inbound: { protocol: 'socks', settings: password }, server: users, udp: true },
  {
    name: 'socks over ws over TLS',
    inbound: { protocol: 'socks', settings: password, streamSettings: { network: 'ws', ...tls } },
    outbound: { streamSettings: { network: 'ws', ...trusting } },
    server: users,
  },
  {
    name: 'http with a login',
    inbound: { protocol: 'http', settings: { accounts: [login] } },
    server: users,
  },
  {
    name: 'http over TLS',
    inbound: { protocol: 'http', settings: {}, streamSettings: tls },
    outbound: { streamSettings: trusting },
    server: {},
  },
]
const plan: TrafficPlan = { bulkBytes: 512 * 1024, rounds: 12, connections: 8 }

let target: Target
let echo: Awaited<ReturnType<typeof udpEcho>>
beforeAll(async () => {
  target = await startTarget()
  echo = await udpEcho()
})
afterAll(async () => {
  echo.close()
  await target.close()
})

const pairings: readonly (readonly [Program, Program])[] = [
  ['ours', 'v2ray'],
  ['v2ray', 'ours'],
  ['ours', 'ours'],
]

describe.each(rows)('$name', ({ inbound, server, outbound = {}, udp = false }) => {
  it.each(pairings.filter((pair) => hasV2ray || !pair.includes('v2ray')))('%s to %s', async (near, far) => {
    const [doorPort, proxyPort] = (await freePorts(2)) as [number, number]
    const { protocol } = inbound
    const settings = { servers: [{ address: '127.0.0.1', port: proxyPort, ...server }] }
    const out = { protocol, tag: 'proxy', settings, ...outbound }
    await withHops(
      [
        { program: near, inbounds: [door(doorPort)], outbounds: [out], ports: [doorPort] },
        {
          program: far,
          inbounds: [{ listen: '127.0.0.1', port: proxyPort, tag: 'in', ...inbound }],
          outbounds: [freedom],
          ports: [proxyPort],
        },
      ],
      async () => {
        await checkTraffic((name) => socksConnect(doorPort, target, { name }), plan)
        if (!udp) return
        const socks = await socksUdp(doorPort)
        try {
          for (const size of [1, 700, 1400]) {
            socks.send(pattern(size), echo)
            expect((await socks.next()).bytes, `${size} bytes`).toEqual(pattern(size))
          }
        } finally {
          socks.close()
        }
      },
    )
  })
})

it.skipIf(!hasV2ray)('a refusal of V2Ray is told with its reason', async () => {
  const [doorPort, proxyPort] = (await freePorts(2)) as [number, number]
  const settings = { servers: [{ address: '127.0.0.1', port: proxyPort, users: [{ user: 'a', pass: 'wrong' }] }] }
  await withHops(
    [
      {
        program: 'ours',
        inbounds: [door(doorPort)],
        outbounds: [{ protocol: 'socks', settings }],
        ports: [doorPort],
      },
      {
        program: 'v2ray',
        inbounds: [{ listen: '127.0.0.1', port: proxyPort, protocol: 'socks', settings: password }],
        outbounds: [freedom],
        ports: [proxyPort],
      },
    ],
    async ([ours]) => {
      await expect(socksConnect(doorPort, target)).rejects.toThrow()
      await ours!.logged(new RegExp(`the SOCKS proxy 127.0.0.1:${proxyPort} refused the user or the password`))
    },
  )
})
