import type { Address } from '../../core/address.ts'
import type { ProxyError } from '../../core/errors.ts'
import type { DataUse, Frame } from '../../protocol/mux/model.ts'

/** One sub-stream, as its carrier sees it. None of these may throw. */
export interface Substream {
  /** Bytes that it would have the carrier hold; see Conn.holdAtMost(). */
  readonly holdsAtMost: number
  /** A Keep: what to do with its data, which comes with data(). */
  keep(frame: Frame): DataUse
  data(lent: Uint8Array): void
  /** The other side's End; more than one may come. */
  peerEnded(error: boolean): void
  /**
   * It is over without anything having to be sent: the session has become another one, or the carrier is gone.
   * @param orderly the carrier has ended, and not in the middle of something
   */
  lost(why: ProxyError, orderly: boolean): void
}

/** What makes the two ends of a carrier different. */
export interface CarrierEvents {
  /** A New has come. The sub-stream to be, which is attached and gets the data, or undefined: it is passed over. */
  opened(frame: Frame): Substream | undefined
  /** One sub-stream fewer. */
  detached?(): void
  /** A sub-stream ended because it was not read. */
  stalled?(target: Address): void
}
