import type { Clock } from '../../core/env.ts'
import type { Ground, Resolve } from '../../core/ground.ts'
import { udpDialer } from '../../net/datagrams/udp.ts'
import { ownAddresses } from '../../net/names/own-addresses.ts'
import { tcpDialer } from '../../net/tcp.ts'

/** What the sockets of one outbound are made with. */
export interface GroundOptions {
  readonly clock: Clock
  readonly resolve: Resolve
  /** Seconds of silence before the first keep-alive probe; negative: off. */
  readonly keepAliveIdleS: number
  /** Bytes that one read may bring. */
  readonly readSize?: () => number
}

/** This machine's sockets. */
export const systemGround = (options: GroundOptions): Ground => ({
  tcp: tcpDialer(options),
  udp: udpDialer(),
  resolve: options.resolve,
  isOwn: ownAddresses(options.clock),
})
