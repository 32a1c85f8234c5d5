import type { Clock } from '../../core/env.ts'
import type { Ground, Resolve } from '../../core/ground.ts'
import { udpDialer } from '../../net/datagrams/udp.ts'
import { ownAddresses } from '../../net/names/own-addresses.ts'
import { tcpDialer } from '../../net/tcp.ts'
import type { LocalAddresses } from './local-addresses.ts'

/** What the sockets of one outbound are made with. */
export interface GroundOptions {
  readonly clock: Clock
  readonly resolve: Resolve
  /** Seconds of silence before the first keep-alive probe; negative: off. */
  readonly keepAliveIdleS: number
  /** Bytes that one read may bring. */
  readonly readSize?: () => number
  /** What they leave from; what the system chooses unless given. */
  readonly from?: LocalAddresses
}

/** This machine's sockets. */
export const systemGround = ({ from, ...options }: GroundOptions): Ground => ({
  tcp: tcpDialer({ ...options, ...(from && { localAddress: from.next }) }),
  udp: udpDialer(from && { localAddress: from.next }),
  resolve: from ? from.resolving(options.resolve) : options.resolve,
  isOwn: ownAddresses(options.clock),
})
