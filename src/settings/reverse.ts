/** `reverse`: servers behind a router that nobody can dial, reached the other way round. */

/** A bridge, the inner end, or a portal, the outer one. The two find each other by the domain. */
export interface ReverseEnd {
  /** Of a bridge what rules see as the inbound of its flows; of a portal that of its outbound. */
  readonly tag: string
  /** A name that need not exist. */
  readonly domain: string
}

export interface ReverseConfig {
  readonly bridges: readonly ReverseEnd[]
  readonly portals: readonly ReverseEnd[]
}
