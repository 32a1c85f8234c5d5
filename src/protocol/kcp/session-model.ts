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
