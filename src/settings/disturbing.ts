/** What freedom does so that who looks at first bytes does not recognise them. */

/** Both ends are included. */
interface Span {
  readonly from: number
  readonly to: number
}

export interface FragmentSettings {
  /** The first TLS record becomes several; or these writes, counted from 1, become several; `all` of them. */
  readonly packets: 'tlshello' | 'all' | Span
  /** Bytes of a piece. */
  readonly length: Span
  /** Milliseconds between pieces; 0: pieces of a record go out in one write. */
  readonly intervalMs: Span
  /** Pieces of one write, of which the last takes the rest; absent: as many as it comes to. */
  readonly maxSplit?: Span
}

export interface NoiseSettings {
  /** The datagram itself, or how many random bytes it has. */
  readonly packet: Uint8Array | Span
  /** Milliseconds until what comes next. */
  readonly delayMs: Span
  /** Sent to targets of this family only; 0: to both. */
  readonly family: 0 | 4 | 6
}
