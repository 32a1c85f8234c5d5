import { formatHost, hostFromIP, parseHost } from '../../core/address.ts'
import type { Random } from '../../core/env.ts'
import type { Resolve } from '../../core/ground.ts'
import type { SendThroughConfig } from '../../settings/model.ts'

/** What the sockets of an outbound leave from. */
export interface LocalAddresses {
  /** An IP address for the next one. */
  readonly next: () => string
  /** Finds only addresses of its family: no other can be reached from there. */
  resolving(resolve: Resolve): Resolve
}

export function localAddresses({ host, bits }: SendThroughConfig, random: Random): LocalAddresses {
  const parsed = parseHost(host)
  if (parsed.kind === 'domain') throw new Error(`${host} is no IP address`)
  const { bytes } = parsed
  const family = parsed.kind === 'ipv4' ? 4 : 6
  return {
    next: bits === bytes.length * 8 ? () => host : () => formatHost(hostFromIP(addressIn(bytes, bits, random))),
    resolving: (resolve) => async (name, wanted, until) =>
      wanted === 0 || wanted === family ? resolve(name, family, until) : [],
  }
}

/** The network's bits, and others by chance. */
function addressIn(network: Uint8Array, bits: number, random: Random): Uint8Array {
  const drawn = random.fill(new Uint8Array(network.length))
  return network.map((byte, at) => {
    const own = Math.min(8, Math.max(0, bits - at * 8))
    const mask = (0xff << (8 - own)) & 0xff
    return (byte & mask) | (drawn[at]! & ~mask & 0xff)
  })
}
