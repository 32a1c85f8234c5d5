/**
 * The datagram noun. No promise and no queue: a datagram is sent or it is dropped, because waiting would only make it late.
 *
 * A datagram goes with one address, that of whoever is on the far side: where it is to go when it is sent, where it came
 * from when it is received. A PacketConn that an inbound has with its client is seen from inside: what it hands out goes
 * with the target that the client named, and what is sent on it goes with the address that answered. So two of them are
 * joined by handing on what comes, with its address, in both directions.
 */

import type { Address } from '../address.ts'
import type { ConnInfo } from '../conn.ts'
import type { Lifetime } from '../lifetime.ts'
import type { Session } from '../session.ts'

/** Takes a lent datagram: the bytes are valid only until it returns. The address may be kept, and must not be changed. */
export type PacketSink = (lent: Uint8Array, address: Address) => void

export interface PacketInfo {
  /** Who is at the other end: the client of an inbound, the server of a tunnel; `''` for a socket that talks to many. */
  readonly remote: string
  /** Our own end as `ip:port` or `[ip]:port`; `''` if unknown. A socket that may send from several addresses says `0.0.0.0` or `::`. */
  readonly local: string
  /** Bytes of the largest datagram that send() takes. May grow, when the peer has shown that it takes more. */
  readonly largest: number
  /** How datagrams travel: by themselves, or inside a stream and in which encoding. */
  readonly encoding: 'udp' | 'plain' | 'xudp' | 'packetaddr' | 'mux' | 'memory'
  /** Layer names from the carrier outward, e.g. `['tcp', 'vmess']`. */
  readonly layers: readonly string[]
  /** Policy level of the account that it uses, where it has one. */
  readonly level?: number
  /** The stream at the bottom, as ConnInfo.carrier; absent where datagrams travel by themselves. */
  readonly carrier?: ConnInfo
}

/** Sends and receives datagrams, to and from many addresses. It is gone when it can do neither any more. */
export interface PacketConn extends Lifetime {
  /**
   * Hands every datagram to `sink`. Resolves at the orderly end, rejects with the ProxyError that ended it, or with what
   * `sink` threw; it can be drained again then. One drain at a time: another one rejects with PROTOCOL_MISUSE. What comes
   * while nobody drains may be dropped.
   */
  drainTo(sink: PacketSink): Promise<void>
  /** The bytes are used up on return. False: dropped (too large, no room, no way to that address, gone), and counted. Never throws. */
  send(bytes: Uint8Array, to: Address): boolean
  /** Datagrams that were to be sent and were dropped here so far, those included that send() had taken. */
  readonly dropped: number
  /** Datagrams that came and were dropped, because nobody took them in time; absent where they are not held or not counted. */
  readonly missed?: number
  readonly info: PacketInfo
  /**
   * Nothing more will be sent: says so where the encoding has a word for it, and settles once what was sent is handed on. What
   * send() is given afterwards is dropped. Receiving goes on. Idempotent.
   */
  closeWrite(): void | Promise<void>
  /** It is gone then, for `why` or CONN_CLOSED, with which a pending drainTo() rejects. Idempotent, never throws. */
  destroy(why?: Error): void
}

export interface PacketDialOptions {
  /** Opening is given up when this is over; reject with why. The PacketConn itself is ended with destroy(). */
  readonly until: Lifetime
  readonly session?: Session
  /** Where the first datagram will go: some encodings name one address for all, and reach it before anything is sent. */
  readonly first?: Address
}

export interface PacketDialer {
  /** What is sent to a name goes out as such, so that nobody need look it up; absent: IP addresses only. */
  readonly takesNames?: boolean
  open(options: PacketDialOptions): Promise<PacketConn>
}

/** Client sockets that are known by an id of their own, so that they can go on over another carrier. */
export interface KnownSockets {
  /**
   * Datagrams that came with an id: those of a new socket, to be carried on by the caller; or undefined, when the socket was
   * known and goes on where it was. Takes `conn` over.
   * @param user what tells users apart, the same at every carrier
   */
  join(user: string, globalId: Uint8Array, conn: PacketConn): PacketConn | undefined
}

/** A UDP address that is listened on. */
export interface UdpListening {
  /** What was really bound: port 0 is filled in. */
  readonly address: Address
  /** Sends from this address; as PacketConn.send(). */
  send(bytes: Uint8Array, to: Address): boolean
  /** As PacketConn.dropped. */
  readonly dropped: number
  close(): void
}

export interface UdpListener {
  /** Binds, and hands every datagram with its source to `receive`, which must not throw. Rejects with LISTEN_FAILED. */
  listen(at: Address, receive: (lent: Uint8Array, from: Address, at: UdpListening) => void): Promise<UdpListening>
}
