import type { PacketDialer } from './datagrams/packet.ts'
import type { Dialer } from './dialer.ts'
import type { Lifetime } from './lifetime.ts'

/** IP addresses of a host name as text, of one family or (0) of both. Rejects with DNS_FAILED, or with why `until` is over. */
export type Resolve = (host: string, family: 0 | 4 | 6, until: Lifetime) => Promise<readonly string[]>

/**
 * Everything by which this program reaches the world. One injected thing, so that what guards it (loops, the API's own
 * ports) or bends it (another resolver, a chain of outbounds) sees streams, datagrams and names alike.
 */
export interface Ground {
  /** TCP and unix sockets. */
  readonly tcp: Dialer
  /**
   * UDP sockets, to IP addresses only: what is for a name is dropped. Whoever sends to names puts `namedPackets` over it,
   * so that a guard sees where datagrams really go.
   */
  readonly udp: PacketDialer
  readonly resolve: Resolve
  /** Whether what goes to this IP address ends on this machine. */
  isOwn(host: string): boolean
}
