import { formatAddress } from '../../core/address.ts'
import type { Inbound } from '../../core/inbound.ts'
import type { ListenConfig } from '../../settings/model.ts'

/** One socket that an inbound listens with. */
export interface Place extends ListenConfig {
  readonly udp?: true
}

/** The sockets at one address of an inbound. A unix socket has no datagrams. */
export function placesAt(listen: ListenConfig, { networks = ['tcp'] }: Inbound): readonly Place[] {
  if (listen.address.path !== undefined) return networks.includes('tcp') ? [listen] : []
  return networks.map((network) => (network === 'tcp' ? listen : { ...listen, udp: true }))
}

/** Names a place as it was asked for. */
export const placeKey = ({ address, udp }: Place): string => `${udp ? 'udp:' : ''}${formatAddress(address)}`
