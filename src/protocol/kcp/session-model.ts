import type { TakeBuffer } from './buffers.ts'
import type { KcpSizes } from './sizes.ts'

/**
 * active → closing (closed here: what was written is still delivered) → terminating (the peer is told) → terminated.
 * active → peerClosed (the peer takes nothing more) → peerTerminating (nor sends anything more) → terminated.
 */
export type KcpState = 'active' | 'closing' | 'peerClosed' | 'terminating' | 'peerTerminating' | 'terminated'

export interface KcpSessionOptions {
  readonly conv: number
  readonly sizes: KcpSizes
  readonly nowMs: number
  readonly take: TakeBuffer
  /** Takes a segment, lent until it returns, to make a datagram of it. */
  readonly emit: (segment: Uint8Array) => void
  /** Segments that are taken in beyond the next until widen(); no fewer than in `sizes` unless given. */
  readonly receiveWindow?: number
}

export const times = {
  /** Silence after which the peer is given up. */
  silenceMs: 30_000,
  pingEveryMs: 5_000,
  /** After the end: how long the peer may take to acknowledge anything of what was written, and all of it. */
  closingMs: 15_000,
  closingMostMs: 300_000,
  /** How long this end may take to close when the peer has left and everything is read. */
  peerTerminatingMs: 4_000,
} as const
