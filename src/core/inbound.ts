import type { Conn } from './conn.ts'
import type { FlowRequest, FlowUser } from './session.ts'

/** What an inbound may ask of the instance. It never dials and never routes itself. */
export interface InboundIo {
  /**
   * Routes, dials and counts. Resolves when the far end (target, or the VMess server on the way) is connected;
   * rejects with ProxyError. Never waits for application data. `near.signal` cancels the dial. Whoever got a far end
   * hands it to relay(), also when the client is gone by then: that is where a flow ends.
   */
  connect(near: Conn, request: FlowRequest): Promise<Conn>
  /** Carries bytes both ways until both ended, honouring half-close and the user's policy level. Destroys both at the end; never rejects. */
  relay(near: Conn, far: Conn): Promise<void>
  /** One line in the access log for a peer that was turned away before it could ask for a target. */
  reject(near: Conn, reason: Error, user?: FlowUser): void
  /** Runs `step` under the handshake deadline of a policy level, 0 unless given; destroys `near` with HANDSHAKE_TIMEOUT when it passes. */
  handshake<T>(near: Conn, step: () => Promise<T>, level?: number): Promise<T>
}

/** Speaks a client-facing protocol on one accepted connection. Owns `conn`: destroys it when done. Never rejects. */
export interface Inbound {
  serve(conn: Conn, io: InboundIo): Promise<void>
}
