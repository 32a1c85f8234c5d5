import type { Address } from '../../../core/address.ts'
import type { PacketConn } from '../../../core/datagrams/packet.ts'
import type { Lifetime } from '../../../core/lifetime.ts'
import type { Session } from '../../../core/session.ts'
import type { MuxPacketOptions } from '../../mux/packets.ts'

export interface WayOptions {
  readonly until: Lifetime
  readonly session?: Session | undefined
}

export interface AddressedOptions extends WayOptions, Pick<MuxPacketOptions, 'globalId' | 'answered' | 'spoke'> {
  /** Whether this server, known by its address, is not to be asked for it: then the way is one to the target alone. */
  readonly refused?: (remote: string) => boolean
}

/** How datagrams can reach a server. Every call opens one way; it is given up when it takes too long. */
export interface PacketWays {
  /** A way to one target. */
  single(target: Address, options: WayOptions): Promise<PacketConn>
  /** XUDP: every datagram names where it goes to. The first one will go to `target`. */
  addressed(target: Address, options: AddressedOptions): Promise<PacketConn>
  /** Whether a server that does not know XUDP's carrier may be found out only by trying. */
  readonly onTrial: boolean
}
