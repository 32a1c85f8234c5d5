import type { Address } from '../address.ts'
import type { Cancel } from '../env.ts'
import type { Lifetime } from '../lifetime.ts'
import type { PacketConn } from './packet.ts'

/**
 * A UDP address of an inbound, which clients share: who sends there is told apart by where he sends from. Gone when it is
 * listened on no more.
 */
export interface UdpDoor extends Lifetime {
  readonly address: Address
  /**
   * Takes one client socket at the IP address `host` that sends there and is not known yet: preferably that with this
   * port, otherwise the first that nobody has been waiting for longer. Returns how to wait no more.
   */
  expect(host: string, port: number, take: (client: PacketConn) => void): Cancel
}
