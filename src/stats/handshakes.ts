import type { ErrorCode } from '../core/errors.ts'
import type { Observer } from '../core/observer.ts'

export interface HandshakeCount {
  readonly inboundTag: string
  /** accepted: a target was asked for and reached, or is being reached; refused: turned away; failed: not reached. */
  readonly outcome: 'accepted' | 'refused' | 'failed'
  /** Why not; `''` when accepted. */
  readonly reason: ErrorCode | ''
  readonly count: number
}

/** Counts what became of every handshake, by inbound and reason. */
export class Handshakes {
  readonly #counts = new Map<
    string,
    { inboundTag: string; outcome: HandshakeCount['outcome']; reason: ErrorCode | ''; count: number }
  >()

  readonly observer: Observer = {
    routed: (session) => this.#add(session.inboundTag, 'accepted', ''),
    failed: (session, error) =>
      this.#add(session.inboundTag, session.outboundTag === undefined ? 'refused' : 'failed', error.code),
    rejected: ({ inboundTag }, error) => this.#add(inboundTag, 'refused', error.code),
  }

  #add(inboundTag: string, outcome: HandshakeCount['outcome'], reason: ErrorCode | ''): void {
    const key = `${outcome} ${reason} ${inboundTag}`
    const entry = this.#counts.get(key)
    if (entry) entry.count++
    else this.#counts.set(key, { inboundTag, outcome, reason, count: 1 })
  }

  [Symbol.iterator](): IterableIterator<HandshakeCount> {
    return this.#counts.values()
  }
}
