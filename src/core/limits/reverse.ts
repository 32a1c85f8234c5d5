/** The bounds of the reverse proxy; part of `limits`. */
export const reverseLimits = {
  /** How often a bridge looks whether it needs another carrier, and a portal says that one is in use, ms; as in V2Ray. */
  reverseTickMs: 2_000,
  /** Streams per carrier of a bridge, on average, above which it opens another one. */
  reverseStreamsPerCarrier: 16,
  /** Streams that a portal has sent down a carrier before it asks the bridge for another one. */
  reverseStreamsBeforeDrain: 256,
  /** Streams that a portal sends down one carrier in its life: so many have numbers. */
  reverseStreamsEver: 65_535,
  /** Carriers of one bridge, and of one portal. A portal turns away more of them. */
  reverseCarriers: 64,
  /** How long a carrier's portal may say nothing before its bridge opens another one beside it, ms. */
  reverseSilenceMs: 60_000,
  /** The longest that a bridge waits after carriers that nobody took, ms; at first `backOffFirstMs`. */
  reverseBackOffMaxMs: 16_000,
} as const
