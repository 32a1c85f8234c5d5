/** A file whose outbound leads back to its own inbound is noticed; the process does not go round until memory is gone. */

import { connect } from 'node:net'
import { expect, it } from 'vitest'
import { clientConfig, serverConfig } from '../interop/rig/configs.ts'
import { accepts, freePorts, type Peer, startPeer, withPeers } from '../interop/rig/harness.ts'
import { socksConnect } from '../interop/rig/socks-client.ts'
import { Wire } from '../interop/rig/wire.ts'
import { eventually, hasProc, openDescriptors, residentMb } from './process-usage.ts'

type WithInbounds = { readonly inbounds: readonly unknown[] }

it('vmess to its own vmess inbound', async () => {
  const [vmessPort, socksPort] = (await freePorts(2)) as [number, number]
  const client = clientConfig({ port: vmessPort }, { socksPort })
  const server = serverConfig({ port: vmessPort })
  const inbounds = [...(client as WithInbounds).inbounds, ...(server as WithInbounds).inbounds]
  const peer = await startPeer('ours', { ...client, inbounds }, { ports: [vmessPort, socksPort] })
  await expectRefusedAndFlat(peer, socksPort, throughSocks)
})

it('freedom to its own dokodemo-door', async () => {
  const [doorPort] = (await freePorts(1)) as [number]
  const peer = await startPeer(
    'ours',
    {
      log: { loglevel: 'debug' },
      inbounds: [
        {
          tag: 'door',
          listen: '127.0.0.1',
          port: doorPort,
          protocol: 'dokodemo-door',
          settings: { address: '127.0.0.1', port: doorPort },
        },
      ],
      outbounds: [{ tag: 'direct', protocol: 'freedom' }],
    },
    // Asking the port whether it listens would already be a loop.
    { ports: [] },
  )
  await expectRefusedAndFlat(peer, doorPort, direct)
})

type Door = (port: number) => Promise<Wire>

const throughSocks: Door = (port) => socksConnect(port, { host: '127.0.0.1', port: 9 }, { stallMs: 10_000 })

const direct: Door = async (port) => {
  const wire = new Wire(connect({ host: '127.0.0.1', port }), 'client', 10_000)
  await wire.connected()
  return wire
}

async function expectRefusedAndFlat(peer: Peer, port: number, door: Door): Promise<void> {
  await withPeers([peer], async () => {
    expect(await eventually(() => accepts(port))).toBe(true)
    await expectCut(door, port)
    await peer.logged(/leads back to the inbound "(?:vmess-in|door)".*LOOP_DETECTED/)

    const flows = () => peer.log().split(' accepted tcp:').length - 1
    const flowsBefore = flows()
    const descriptors = hasProc ? openDescriptors(peer.pid) : 0
    const attempts = 100
    await Promise.all(Array.from({ length: attempts }, () => expectCut(door, port)))
    // Each goes round once at most: it enters, comes back, and is recognised at its second visit.
    expect(flows() - flowsBefore).toBeLessThanOrEqual(3 * attempts)
    if (!hasProc) return
    const flat = await eventually(() => openDescriptors(peer.pid) <= descriptors + 4)
    expect(flat, `${openDescriptors(peer.pid)} descriptors, ${descriptors} before`).toBe(true)
    expect(residentMb(peer.pid)).toBeLessThan(200)
  })
}

/** A connection that is refused or ended, and soon: it must not wait for a timeout. */
async function expectCut(door: Door, port: number): Promise<void> {
  const startedAt = performance.now()
  let wire: Wire | undefined
  const outcome = await (async () => {
    wire = await door(port)
    await wire.write('round and round')
    return wire.readSome()
  })().catch((error: Error) => error)
  wire?.destroy()
  expect(outcome instanceof Error || outcome === null).toBe(true)
  expect(performance.now() - startedAt).toBeLessThan(8_000)
}
