import type { Clock } from '../../core/env.ts'
import type { Ground } from '../../core/ground.ts'
import { ownAddresses } from '../../net/own-addresses.ts'
import { systemResolve } from '../../net/resolve.ts'
import { tcpDialer } from '../../net/tcp.ts'
import { udpDialer } from '../../net/udp.ts'

/** What the sockets of one outbound are made with. */
export interface GroundOptions {
  readonly clock: Clock
  /** Seconds of silence before the first keep-alive probe; negative: off. */
  readonly keepAliveIdleS: number
  /** Bytes that one read may bring. */
  readonly readSize?: () => number
}

/** This machine's sockets and resolver. */
export const systemGround = (options: GroundOptions): Ground => ({
  tcp: tcpDialer(options),
  udp: udpDialer(),
  resolve: systemResolve,
  isOwn: ownAddresses(options.clock),
})
