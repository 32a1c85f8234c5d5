/** Our client follows a V2Ray server to its moving ports. VMESS_LONG=1 adds the run across two changes of ports. */

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemEnv } from '../../src/app/instance/env.ts'
import type { Address } from '../../src/core/address.ts'
import type { Dialer } from '../../src/core/dialer.ts'
import { lifetimeOf } from '../../src/core/lifetime.ts'
import { tcpDialer } from '../../src/net/tcp.ts'
import { parseId } from '../../src/protocol/vmess/users/identity.ts'
import { createVmessOutbound } from '../../src/proxy/vmess/outbound.ts'
import { clientConfig, testId } from './rig/configs.ts'
import { type DynamicPorts, dynamicPortConfig, inRange, someRange, steadyRequests } from './rig/dynamic-port.ts'
import { freePorts, hasV2ray, type Peer, startPeer, withPeers } from './rig/harness.ts'
import { socksConnect } from './rig/socks-client.ts'
import { startTarget, type Target } from './target.ts'

let target: Target
beforeAll(async () => {
  target = await startTarget()
})
afterAll(() => target.close())

/** A client of our own in this process, whose every dial is written down. */
function recordingClient({ frontPort, alterId }: DynamicPorts) {
  const dialed: number[] = []
  const tcp = tcpDialer()
  const dialer: Dialer = {
    dial(to: Address, options) {
      dialed.push(to.port)
      return tcp.dial(to, options)
    },
  }
  const experiments = { authenticatedLength: false, noTerminationSignal: false }
  const user = { id: parseId(testId), alterId, level: 0, email: '', experiments, security: 'aes-128-gcm' } as const
  const servers = [{ address: { host: '127.0.0.1', port: frontPort }, users: [user] }]
  const outbound = createVmessOutbound(
    'proxy',
    { servers },
    { dialer, env: systemEnv(), auto: 'aes-128-gcm', legacyHeader: false },
  )
  const echo = async (text: string): Promise<string> => {
    const conn = await outbound.dial(
      { host: target.host, port: target.port },
      { until: lifetimeOf(AbortSignal.timeout(10_000)) },
    )
    try {
      await conn.write(Buffer.from(`{"mode":"echo"}\n${text}`))
      let back = ''
      while (back.length < text.length) back += Buffer.from((await conn.read()) ?? '\n'.repeat(text.length)).toString()
      return back
    } finally {
      conn.destroy()
    }
  }
  return { dialed, echo }
}

/** V2Ray as server, ready for clients. */
async function startServer(
  change: Pick<DynamicPorts, 'alterId' | 'refresh'>,
): Promise<{ ports: DynamicPorts; server: Peer }> {
  const [frontPort] = (await freePorts(1)) as [number]
  const ports = { frontPort, range: someRange(), ...change }
  const server = await startPeer('v2ray', dynamicPortConfig(ports), { ports: [frontPort], name: 'server (v2ray)' })
  return { ports, server }
}

/** Our command as client, and steady traffic through it. */
async function steadyThroughCommand(alterId: number, forMs: number) {
  const { ports, server } = await startServer({ alterId, refresh: 1 })
  const [socksPort] = (await freePorts(1)) as [number]
  const config = clientConfig({ port: ports.frontPort, alterId }, { socksPort })
  const client = startPeer('ours', config, { ports: [socksPort], name: 'client (ours)' })
  await client.catch(() => server.stop())
  const peers = [server, await client]
  return withPeers(peers, async () => {
    const open = (name: string) => socksConnect(socksPort, target, { name })
    const result = await steadyRequests(open, { everyMs: 250, forMs, range: ports.range })
    expect(result.failures).toEqual([])
    return result
  })
}

describe.skipIf(!hasV2ray)('our client, sent to other ports by a V2Ray server', () => {
  it.each([0, 4])('takes turns between front door and moving ports, alterId %i', async (alterId) => {
    const { ports, server } = await startServer({ alterId, refresh: 5 })
    await withPeers([server], async () => {
      const { dialed, echo } = recordingClient(ports)
      for (let i = 0; i < 12; i++) expect(await echo(`request ${i}`)).toBe(`request ${i}`)
      expect(dialed).toHaveLength(12)
      expect(dialed.slice(0, 2)).toEqual([ports.frontPort, ports.frontPort])
      const moving = dialed.slice(2).filter((port) => port !== ports.frontPort)
      expect(moving.every((port) => inRange(port, ports.range))).toBe(true)
      expect(moving.length).toBeGreaterThanOrEqual(5)
      expect(new Set(moving).size).toBeLessThanOrEqual(2)
    })
  })

  it.runIf(process.platform === 'linux')('carries steady traffic through both', { timeout: 60_000 }, async () => {
    const { requests, ports } = await steadyThroughCommand(4, 3_000)
    expect(requests).toBeGreaterThanOrEqual(8)
    expect(ports.length).toBeGreaterThanOrEqual(1)
  })

  const long = process.platform === 'linux' && process.env.VMESS_LONG === '1'
  it.runIf(long)('loses no request while the ports change twice', { timeout: 240_000 }, async () => {
    const { requests, ports } = await steadyThroughCommand(4, 150_000)
    console.log(`${requests} requests without a failure, moving ports: ${ports.join(', ')}`)
    expect(requests).toBeGreaterThanOrEqual(500)
    expect(ports.length, 'two ports in each of three periods').toBeGreaterThanOrEqual(5)
  })
})
