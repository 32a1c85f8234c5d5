import type { Address } from '../address.ts'
import type { PacketConn } from './packet.ts'
import type { WaitingPackets } from './waiting-packets.ts'

/** When targets share a connection. */
export interface Sharing {
  /** Whether this target has a connection of its own in any case. */
  apart(target: Address): boolean
  /** Whether the connection carries datagrams to every target. That may come to light only when answers come. */
  everywhere(conn: PacketConn): boolean
  /** Whether the next one will, as far as one can tell. */
  expected(): boolean
  /** Whether another connection may take the place of one that broke, so that the client socket lives on meanwhile. */
  resumes(conn: PacketConn): boolean
}

/** The way to one target. */
export interface Link {
  readonly target: Address
  conn: PacketConn | undefined
  opening: boolean
  readonly waiting: WaitingPackets<Address>
  usedMs: number
  /** Not to be opened before, after it failed. */
  retryMs: number
}

/** Names are the same in every letter case. */
export const keyOf = ({ host, port }: Address): string => `${host.toLowerCase()} ${port}`
