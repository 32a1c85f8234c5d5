/** Several proxies in a row, as real processes: a SOCKS door at the first, freedom at the last. */

import type { Root } from './configs.ts'
import { freePorts, type Peer, type Program, startPeer, withPeers } from './harness.ts'

export interface Hop {
  readonly program: Program
  readonly inbounds: readonly Root[]
  readonly outbounds: readonly Root[]
  /** Loopback ports that show that it is up. */
  readonly ports: readonly number[]
}

export const freedom: Root = { protocol: 'freedom', tag: 'direct' }

export const door = (port: number): Root => ({
  listen: '127.0.0.1',
  port,
  protocol: 'socks',
  tag: 'door',
  settings: { auth: 'noauth', udp: true, ip: '127.0.0.1' },
})

/** Starts all, runs `body`, stops all. */
export async function withHops<T>(hops: readonly Hop[], body: (peers: readonly Peer[]) => Promise<T>): Promise<T> {
  const started = await Promise.allSettled(
    hops.map(({ program, inbounds, outbounds, ports }, i) =>
      startPeer(
        program,
        { log: { loglevel: 'debug' }, inbounds, outbounds },
        { ports, name: `hop ${i + 1} (${program})` },
      ),
    ),
  )
  const peers = started.flatMap((start) => (start.status === 'fulfilled' ? [start.value] : []))
  return withPeers(peers, async () => {
    for (const start of started) if (start.status === 'rejected') throw start.reason
    return body(peers)
  })
}

export { freePorts }
