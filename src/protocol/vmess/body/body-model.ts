/** What a body is, seen from outside: how it is protected, and its two ends. */
import type { CfbStream } from '../../../crypto/cfb.ts'

export type Security = 'aes-128-cfb' | 'aes-128-gcm' | 'chacha20-poly1305' | 'none'

/** Option bits of the request; the answer follows the same ones. */
export interface BodyOptions {
  /** 0x01: chunks with a terminator. Without it AEADs are chunked all the same, but nothing marks the end. */
  readonly chunkStream: boolean
  /** 0x04: size fields are masked. */
  readonly chunkMasking: boolean
  /** 0x08: up to 63 random bytes behind every chunk. */
  readonly globalPadding: boolean
  /** 0x10: size fields are sealed instead of masked; aes-128-gcm and chacha20-poly1305 only, ignored for the others. */
  readonly authenticatedLength: boolean
}

/** What both directions of a body have in common. */
export interface BodyScheme {
  readonly security: Security
  readonly options: BodyOptions
  /** On `packet` one datagram is one chunk. */
  readonly transfer: 'stream' | 'packet'
  /** 16 bytes; lengths are authenticated under it in both directions. */
  readonly requestKey: Uint8Array
  /** 16 bytes. */
  readonly requestIv: Uint8Array
}

/** Key and IV of one direction, 16 bytes each. */
export interface BodyDirection {
  readonly key: Uint8Array
  readonly iv: Uint8Array
  /** Goes on with this stream instead of a fresh one: a legacy answer with aes-128-cfb continues that of its header. */
  readonly cfb?: CfbStream
}

/** Plaintext in, chunks out. Keeps counters, no bytes. */
export interface BodySealer {
  /** Upper bound of what seal() writes for so many bytes and finish() behind it, padding included. */
  maxSealed(plain: number): number
  /**
   * Seals all of `plain`, which is free for other use afterwards, into `into` at `at`; returns the offset behind it. The two must not
   * overlap. On packet transfer one call is one datagram. Empty input writes nothing: the wire cannot express it.
   * @throws ProxyError DATAGRAM_TOO_LARGE, then nothing has changed; PROTOCOL_MISUSE behind a terminator
   */
  seal(plain: Uint8Array, into: Uint8Array, at: number): number
  /** Writes the terminator, where there is one, and returns the offset behind it. Repeating it writes nothing. */
  finish(into: Uint8Array, at: number): number
  /** Whether the end travels as a terminator; else only the carrier can tell it. */
  readonly framed: boolean
}

/** Chunks in, in any split; plaintext out. After an error it keeps throwing that error. */
export interface BodyOpener {
  /** Bytes that `into` must hold to open a batch of so many. */
  room(batch: number): number
  /**
   * Opens every complete chunk of `batch` into `into` from offset 0 on and returns the number of bytes. A cut-off rest is copied aside,
   * so `batch` is free for other use afterwards; the two must not overlap. Bytes behind the terminator are ignored.
   * @throws ProxyError BODY_AUTH_FAILED or BODY_MALFORMED
   */
  open(batch: Uint8Array, into: Uint8Array): number
  /** Whether the terminator has come: with its size field, whatever follows. */
  readonly ended: boolean
  /** To be called when the carrier ends. An end between chunks is fine, terminator or not, as with every peer.
   *  @throws ProxyError TRUNCATED inside a chunk */
  end(): void
}
