import type { UdpListener } from '../../core/datagrams/packet.ts'
import type { Dialer, Listener } from '../../core/dialer.ts'
import type { Env } from '../../core/env.ts'
import type { Ground } from '../../core/ground.ts'
import type { KcpConfig } from '../../settings/kcp.ts'
import { kcpDialer } from './client.ts'
import { type KcpSockets, kcpListener } from './listener.ts'

interface Deps {
  readonly env: Env
}

/** mKCP over datagrams: what opens connections, and what takes them. */
export function kcpCarrier(): {
  dialer(ground: Ground, config: KcpConfig, deps: Deps): Dialer
  listener(udp: UdpListener, config: KcpConfig, deps: Deps): Listener
} {
  const sockets: KcpSockets = new Map()
  return {
    dialer: (ground, config, { env }) => kcpDialer(ground, config, env),
    listener: (udp, config, { env }) => kcpListener(udp, sockets, config, env),
  }
}
