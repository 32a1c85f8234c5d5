/** Everything the outside world decides, passed explicitly: there are no globals and no ambient context. */

export type Cancel = () => void

export interface Clock {
  /** The wall clock, milliseconds since the Unix epoch: for what carries a date. People and NTP set it. */
  now(): number
  /** Milliseconds that have passed since some moment: for limits, paces and caches. Never goes back, never jumps. */
  elapsed(): number
  /** Runs `run` once after `ms`; the returned function cancels it. */
  after(ms: number, run: () => void): Cancel
}

export interface Random {
  /** Fills the whole array with cryptographically strong bytes and returns it. */
  fill<T extends Uint8Array>(bytes: T): T
  /** A uniform integer in [0, limit), 1 <= limit <= 2^31. */
  below(limit: number): number
}

/** Reads a named file as UTF-8 text; throws what node:fs throws. */
export type ReadText = (path: string) => string

export type LogFields = Readonly<Record<string, unknown>>

/** pino-shaped. Fields must hold no secret: ids go through `redactId`. */
export interface Logger {
  debug(fields: LogFields, message: string): void
  info(fields: LogFields, message: string): void
  warn(fields: LogFields, message: string): void
  error(fields: LogFields, message: string): void
}

export interface Env {
  readonly clock: Clock
  readonly random: Random
  readonly log: Logger
}

export const silentLogger: Logger = { debug() {}, info() {}, warn() {}, error() {} }

/** First eight characters of an id and an ellipsis: enough to tell users apart, not enough to connect. */
export const redactId = (id: string): string => (id.length > 8 ? `${id.slice(0, 8)}…` : '…')
