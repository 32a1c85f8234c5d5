import type { Address } from '../../core/address.ts'
import { namedPackets } from '../../core/datagrams/named-packets.ts'
import type { PacketDialer } from '../../core/datagrams/packet.ts'
import type { Lifetime } from '../../core/lifetime.ts'
import { RedirectedPackets } from './redirected-packets.ts'

export interface FreedomPacketsOptions {
  readonly udp: PacketDialer
  /** The IP address for a name of a target. */
  readonly addressOf: (name: string, until: Lifetime) => Promise<string>
  /** Names go out as they are where the way takes them. */
  readonly asIs: boolean
  readonly redirect: Address | undefined
}

/**
 * One socket for each session, whatever it sends to, so that a client keeps one port towards the world; what anybody sends
 * there comes with its true source.
 */
export function freedomPackets({ udp, addressOf, asIs, redirect }: FreedomPacketsOptions): PacketDialer {
  return {
    async open({ first, ...options }) {
      const base = await udp.open(options)
      const named = asIs && udp.takesNames ? base : namedPackets(base, (name) => addressOf(name, base))
      return redirect ? new RedirectedPackets(named, redirect) : named
    },
  }
}
