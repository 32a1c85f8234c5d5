/**
 * The stream noun. See docs/decisions/0002 for why it is ours and why it lends.
 */

import type { Cancel } from './env.ts'
import type { Lifetime } from './lifetime.ts'

/**
 * Takes a lent batch. The bytes are valid only until it returns, and until then it may change them: a layer undoes its
 * framing in place. A promise pauses the source until it settles. Where the source offers `keep`, the sink may call it
 * before it returns: then the bytes are its own until it calls what that returned, exactly once.
 */
export type Sink = (lent: Uint8Array, keep?: Keep) => void | Promise<void>

export type Keep = () => () => void

/** How a connection says "I have finished sending, go on answering". */
export type HalfClose =
  /** The carrier has an orderly end of its own for one direction (TCP FIN, TLS close_notify). */
  | 'native'
  /** The end travels inside the stream (VMess's empty chunk); the carrier stays open. */
  | 'framed'
  /** No way to say it; idle timers finish the job. */
  | 'none'

export interface ConnInfo {
  /** Peer's address as `ip:port`, `[ip]:port`, or `unix:path`; `''` if unknown. */
  readonly remote: string
  /** Our end's address in the same form. */
  readonly local: string
  /** Layer names from the carrier outward, e.g. `['tcp', 'tls', 'vmess']`. */
  readonly layers: readonly string[]
  readonly halfClose: HalfClose
  /** Policy level of the account that this connection uses, where it has one. */
  readonly level?: number
  /** What the connection says of itself on which this one runs, with others or alone: always the same object; absent: this is it. */
  readonly carrier?: ConnInfo
  /** Of one at the bottom that wants to know: told when whoever is at the other end has shown who it is. */
  admitted?(): void
}

/** Stands for the connection at the bottom, whatever runs on it. */
export const rootInfo = (info: ConnInfo): ConnInfo => info.carrier ?? info

/** A byte stream with two independently closable halves. It is gone when neither can be used any more, even if nobody reads. */
export interface Conn extends Lifetime {
  /**
   * Next bytes, owned by the caller, or null after the peer's orderly end. For handshakes: it copies.
   * One reader at a time, and never while `drainTo` is running. Rejects with ProxyError when the stream broke.
   */
  read(): Promise<Uint8Array | null>
  /**
   * Hands every batch to `sink` until the peer's orderly end, then resolves. Rejects with the stream's ProxyError,
   * or with whatever `sink` threw or rejected with (the stream is then left as it is: the caller destroys it).
   */
  drainTo(sink: Sink): Promise<void>
  /**
   * Takes back what read() gave, to be read again before anything else; owned. Not while anybody reads. Absent where
   * another Conn has to lie in front for it: see putBack().
   */
  takeBack?(bytes: Uint8Array): void
  /**
   * Without `release`, uses `bytes` up before it returns (seals or copies them), so lent bytes may be passed on.
   * With `release`, holds the buffer until it calls `release()`, exactly once, also when the stream is destroyed.
   * Returns a promise when the caller should wait before writing more; it rejects when the stream broke.
   * After destroy() bytes are dropped and the promise rejects.
   */
  write(bytes: Uint8Array, release?: () => void): void | Promise<void>
  /**
   * From now on write() asks to wait while more than `bytes` are held here that the carrier has not taken; 0: while any
   * are. Infinity: never. What one write() brings is held on top. `limits.writeHighWater` until it is called.
   */
  holdAtMost(bytes: number): void
  /**
   * From now on a batch of drainTo() brings no more than about `bytes`, where that can be had. For those who must copy what
   * they cannot pass on at once. Absent where batches are small anyway.
   */
  readAtMost?(bytes: number): void
  /** Ends our half once everything written is handed to the carrier; settles then. The other half keeps working. Idempotent. */
  closeWrite(): void | Promise<void>
  /** Drops both halves now; it is gone then, for `reason` or CONN_CLOSED, with which pending calls reject. Idempotent, never throws. */
  destroy(reason?: Error): void
  /**
   * Runs `run` once when the carrier says that the peer has ended its half in order, though nobody has read up to there: at
   * once if that is known. It reads ahead for it, up to a bound behind which it cannot see. Whoever reads meets the end
   * in any case; a framed end inside the stream shows only there. `run` must not throw. Returns how to take it back.
   */
  onEnded?(run: () => void): Cancel
  /** Whether an idle process stays alive for it, as it does until this says otherwise; absent where nothing keeps it alive. */
  hold?(alive: boolean): void
  readonly info: ConnInfo
}
