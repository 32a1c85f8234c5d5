import type { Conn } from './conn.ts'
import type { PacketConn } from './datagrams/packet.ts'
import type { UdpDoor } from './datagrams/udp-door.ts'
import type { ProxyError } from './errors.ts'
import type { FlowRequest, FlowUser } from './session.ts'

/** Why a flow ended before its time; undefined when in order. */
export type Ended = ProxyError | undefined

/**
 * Tells the client, in its own protocol, what came of its request: the far end, or why there is none; undefined when the
 * client has to speak before it is known where it goes, and so is promised success. The core says when, exactly once. What
 * it throws because the client is gone is met again where the client is read.
 */
export type Greet = (outcome: Conn | ProxyError | undefined) => void | Promise<void>

/** What an inbound may ask of the instance. It never dials and never routes itself. */
export interface InboundIo {
  /**
   * Carries one flow: routes it, dials, has the client greeted, relays until both directions have ended, counts. Destroys
   * `near` at the end; a failure that nobody is greeted with only shows as that. Rejects only with a mistake of ours.
   */
  carry(near: Conn, request: FlowRequest, greet?: Greet): Promise<Ended>
  /**
   * Carries the datagrams of one client socket, wherever each of them goes: one flow, entered under the target of the
   * request, that of the first datagram; rules lead each target by itself. As carry() otherwise; nobody is greeted, because nobody waits for an answer.
   */
  carryPackets(near: PacketConn, request: FlowRequest): Promise<Ended>
  /** The UDP address beside the TCP one that `near` came in by; undefined where there is none. */
  udpBeside(near: Conn): UdpDoor | undefined
  /** One line in the access log for a peer that was turned away before it could ask for a target. */
  reject(near: Conn, reason: Error, user?: FlowUser): void
  /** Runs `step` under the handshake deadline of a policy level, 0 unless given; destroys `near` with HANDSHAKE_TIMEOUT when it passes. */
  handshake<T>(near: Conn, step: () => Promise<T>, level?: number): Promise<T>
}

/** Speaks a client-facing protocol on one accepted connection. Owns `conn`: destroys it when done. Never rejects. */
export interface Inbound {
  serve(conn: Conn, io: InboundIo): Promise<void>
  /** What it is to be listened on; TCP alone unless given. */
  readonly networks?: readonly ('tcp' | 'udp')[]
  /**
   * Takes a client socket that has sent something, and whom nobody expects (`UdpDoor.expect`); absent: it is passed over.
   * Owns `client`: destroys it when done. Never rejects.
   */
  servePackets?(client: PacketConn, io: InboundIo): Promise<void>
}
