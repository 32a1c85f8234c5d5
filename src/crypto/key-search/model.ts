/**
 * Finds, among many AES-128 keys, the one with which a block was sealed. An opened block proves itself: its last four bytes are
 * the CRC-32 (big-endian) of the twelve before them.
 */

/** Keys in numbered slots. Blocks and keys are 16 bytes and only read. */
export interface KeySearch {
  /** So many keys are tried in the time that one takes by tables. */
  readonly speed: number
  /** Puts a key into a slot, in the place of what is there. There may be gaps: slots that were never set are empty. */
  set(slot: number, key: Uint8Array): void
  /** Empties a slot; an empty slot never matches. */
  clear(slot: number): void
  /** The first slot of from..to-1 whose key opens `block` to one that proves itself, or -1. */
  find(block: Uint8Array, from: number, to: number): number
  /** Whether that is so for this slot. */
  matches(slot: number, block: Uint8Array): boolean
  /** Writes the 16 bytes to which the key of a slot opens `block`; `into` may be `block`. */
  open(slot: number, block: Uint8Array, into: Uint8Array): void
}
