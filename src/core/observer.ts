import type { ProxyError } from './errors.ts'
import type { Session, Totals } from './session.ts'

/** Hooks into the life of flows. Access log, counters and live views are all observers; none is called per chunk. */
export interface Observer {
  opened?(session: Session): void
  routed?(session: Session, outboundTag: string): void
  /** The outbound's end is there: what follows is carried. */
  connected?(session: Session): void
  closed?(session: Session, totals: Readonly<Totals>, reason?: ProxyError): void
  /** A flow that could not be connected. */
  failed?(session: Session, error: ProxyError): void
  /** A peer turned away before it asked for a target. */
  rejected?(at: { inboundTag: string; source: string; email: string }, error: ProxyError): void
}
