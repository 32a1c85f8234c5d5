/** What is known of an outbound by measuring it. */
export interface Observation {
  readonly tag: string
  readonly alive: boolean
  /** Milliseconds; of one that is dead `deadMs`. */
  readonly delayMs: number
  /** Why it is dead; `''`: it is not, or nobody knows. */
  readonly reason: string
  /** Milliseconds since the epoch; 0: never. */
  readonly lastSeen: number
  readonly lastTry: number
  /** Of several samples. */
  readonly samples?: Samples
}

/** Counts, and milliseconds. */
export interface Samples {
  readonly all: number
  readonly fail: number
  readonly deviation: number
  readonly average: number
  readonly max: number
  readonly min: number
}

/** What the peers say of one that is dead. */
export const deadMs = 99_999_999

/** Undefined: nobody has looked yet. */
export type Observe = (tag: string) => Observation | undefined
