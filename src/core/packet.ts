/**
 * The datagram noun. No promise and no queue: a datagram is sent or it is dropped, because waiting would only make it late.
 */

import type { Address } from './address.ts'
import type { Cancel } from './env.ts'
import type { Lifetime } from './lifetime.ts'
import type { Session } from './session.ts'

export interface PacketInfo {
  /** Our own end as `ip:port` or `[ip]:port`; `''` if unknown. */
  readonly local: string
  /** Bytes of the largest datagram that send() takes. */
  readonly largest: number
  /** How datagrams travel: by themselves, or inside a stream and in which encoding. */
  readonly encoding: 'udp' | 'plain' | 'xudp' | 'packetaddr' | 'mux' | 'memory'
  /** Layer names from the carrier outward, e.g. `['tcp', 'vmess']`. */
  readonly layers: readonly string[]
  /** Policy level of the account that it uses, where it has one. */
  readonly level?: number
}

/** Sends and receives datagrams, to and from many addresses. */
export interface PacketConn extends Lifetime {
  /**
   * Hands every datagram and its true source to `sink`; the bytes are lent until it returns. Resolves at the orderly end,
   * rejects with the ProxyError that ended it, or with what `sink` threw. One drain at a time. What comes before the first
   * drain may be dropped.
   */
  drainTo(sink: (lent: Uint8Array, from: Address) => void): Promise<void>
  /** The bytes are used up on return. False: dropped (too large, no room, gone), and counted by the one who dropped it. Never throws. */
  send(bytes: Uint8Array, to: Address): boolean
  /** Datagrams that send() has dropped so far. */
  readonly dropped: number
  readonly info: PacketInfo
  onGone(run: (why: Error) => void): Cancel
  /** Idempotent, never throws. A pending drainTo() rejects with `why` or CONN_CLOSED. */
  destroy(why?: Error): void
}

export interface PacketDialOptions {
  /** The dial is given up when it is over. The PacketConn itself is ended with destroy(). */
  readonly until: Lifetime
  readonly session?: Session
  /** Where the first datagram will go: some encodings name one address for all. */
  readonly first?: Address
}

export interface PacketDialer {
  open(options: PacketDialOptions): Promise<PacketConn>
}
