/** Datagrams by command 2 against the real V2Ray, in both roles: our outbound and our end of a request, in this process. */

import { createSocket } from 'node:dgram'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { systemClock } from '../../src/app/instance/env.ts'
import type { PacketConn, UdpListening } from '../../src/core/datagrams/packet.ts'
import { silentLogger } from '../../src/core/env.ts'
import { forever } from '../../src/core/lifetime.ts'
import { countInto } from '../../src/core/streams/meter.ts'
import { udpDialer } from '../../src/net/datagrams/udp.ts'
import { udpListener } from '../../src/net/datagrams/udp-listener.ts'
import { tcpDialer, tcpListener } from '../../src/net/tcp.ts'
import { ReplayMemory, SessionHistory } from '../../src/protocol/vmess/replay.ts'
import { ServerSession } from '../../src/protocol/vmess/server.ts'
import { UserDirectory } from '../../src/protocol/vmess/users/directory.ts'
import { parseId } from '../../src/protocol/vmess/users/identity.ts'
import { createVmessOutbound } from '../../src/proxy/vmess/outbound.ts'
import { requestPackets } from '../../src/proxy/vmess/request-packets.ts'
import { relayPackets } from '../../src/relay/relay-packets.ts'
import type { SecurityName, VmessUser } from '../../src/settings/model.ts'
import { fakeRandom } from '../../src/testing/fakes.ts'
import { clientConfig, serverConfig, testId } from './rig/configs.ts'
import { freePorts, hasV2ray, startPeer, withPeers } from './rig/harness.ts'

const sizes = [1, 40, 512, 1200, 1400]
const env = { clock: systemClock, random: fakeRandom(99), log: silentLogger }
const experiments = { authenticatedLength: false, noTerminationSignal: false }

let echo: UdpListening
beforeEach(async () => {
  echo = await udpListener().listen({ host: '127.0.0.1', port: 0 }, (lent, from, at) => void at.send(lent, from))
})
afterEach(() => echo.close())

function outboundTo(port: number, security: SecurityName, alterId: number) {
  const user = { id: parseId(testId), email: '', level: 0, alterId, security, experiments }
  const servers = [{ address: { host: '127.0.0.1', port }, users: [user] }]
  return createVmessOutbound(
    'out',
    { servers },
    { dialer: tcpDialer(), env, auto: 'aes-128-gcm', legacyHeader: false, packetEncoding: 'none' },
  )
}

/** A server of ours for command 2 that goes straight to the targets. */
async function serve(port: number, alterId: number) {
  const user: VmessUser = { id: parseId(testId), email: '', level: 0, alterId, experiments }
  const shared = {
    users: new UserDirectory<VmessUser>([user]),
    replay: new ReplayMemory(env.clock),
    history: new SessionHistory(env.clock),
  }
  const limits = { connIdleMs: 10_000, uplinkOnlyMs: 1_000, downlinkOnlyMs: 1_000 }
  const commands: string[] = []
  const listening = await tcpListener().listen({ host: '127.0.0.1', port }, async (conn) => {
    const session = new ServerSession({ ...shared, ...env, disableInsecureEncryption: false })
    for (;;) {
      const bytes = await conn.read()
      if (!bytes) return conn.destroy()
      const request = session.push(bytes)
      if (!request) continue
      commands.push(request.command)
      // Whoever looks whether the client's door is open asks for a stream.
      if (request.command !== 'udp') return conn.destroy()
      const near = requestPackets(conn, request, { switchTo: undefined, tooLarge: () => {} })
      const far = await udpDialer().open({ until: forever })
      await relayPackets(near, far, limits, env.clock, countInto({ uplink: 0, downlink: 0 }), {
        uplink: 0,
        downlink: 0,
      })
      return
    }
  })
  return { commands, close: () => listening.close() }
}

/** Sends each and waits for its echo. */
async function echoed(conn: PacketConn, lengths: readonly number[]): Promise<number[]> {
  const got: number[] = []
  let arrived = () => {}
  conn
    .drainTo((lent) => {
      got.push(lent.every((byte) => byte === (lent.length & 0xff)) ? lent.length : -1)
      arrived()
    })
    .catch(() => {})
  for (const length of lengths) {
    const back = new Promise<void>((resolve) => {
      arrived = resolve
    })
    expect(conn.send(new Uint8Array(length).fill(length), echo.address)).toBe(true)
    await back
  }
  conn.destroy()
  return got
}

/** The same through a V2Ray client's door. */
async function echoedThrough(port: number, lengths: readonly number[]): Promise<number[]> {
  const socket = createSocket('udp4')
  const got: number[] = []
  try {
    for (const length of lengths) {
      const back = new Promise<Buffer>((resolve) => socket.once('message', resolve))
      socket.send(new Uint8Array(length).fill(length), port, '127.0.0.1')
      const answer = await back
      got.push(answer.every((byte) => byte === (length & 0xff)) ? answer.length : -1)
    }
  } finally {
    socket.close()
  }
  return got
}

const rows = [
  ['aes-128-gcm', 0, 1967],
  ['aes-128-gcm', 4, 1967],
  ['chacha20-poly1305', 0, 1967],
] as const

describe.runIf(hasV2ray)('datagrams and V2Ray', () => {
  it.each([
    ...rows,
    ['none', 0, 2046] as const,
  ])('our client, its server: %s, alterId %i', async (security, alterId, largest) => {
    const [port] = await freePorts(1)
    const server = await startPeer('v2ray', serverConfig({ port: port!, alterId }), { ports: [port!] })
    await withPeers([server], async () => {
      const outbound = outboundTo(port!, security, alterId)
      const conn = await outbound.packets!.open({ until: forever, first: echo.address })
      expect(conn.info.largest).toBe(largest)
      expect(await echoed(conn, [...sizes, largest])).toEqual([...sizes, largest])
    })
  })

  it.each([
    ...rows,
    ['none', 0, 2046] as const,
  ])('its client, our server: %s, alterId %i', async (security, alterId, largest) => {
    const [port, door] = await freePorts(2)
    const server = await serve(port!, alterId)
    const config = clientConfig({ port: port!, security, alterId }, { fixedPort: door!, to: echo.address }) as {
      inbounds: { settings: object }[]
    }
    const [inbound] = config.inbounds
    const inbounds = [{ ...inbound, settings: { ...inbound!.settings, network: 'tcp,udp' } }]
    const client = await startPeer('v2ray', { ...config, inbounds }, { ports: [door!] })
    await withPeers([client], async () => {
      // By its own writer a V2Ray client drops what could exceed its buffer with the longest padding, now and then.
      expect(await echoedThrough(door!, [...sizes, largest])).toEqual([...sizes, largest])
      expect(server.commands.filter((command) => command === 'udp').length).toBeGreaterThan(0)
    })
    await server.close()
  })
})

it.each([...rows, ['none', 0, 2046], ['zero', 0, 2046]] as const)('ours to ours: %s, alterId %i', async (...row) => {
  const [security, alterId, largest] = row
  const [port] = await freePorts(1)
  const server = await serve(port!, alterId)
  const conn = await outboundTo(port!, security, alterId).packets!.open({ until: forever, first: echo.address })
  expect(await echoed(conn, [...sizes, largest])).toEqual([...sizes, largest])
  await server.close()
})
