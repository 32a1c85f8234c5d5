import type { Address } from '../../core/address.ts'

/** What stands in front of the bytes of a connection that somebody hands on. */
export interface ProxyHeader {
  /** Who has opened the connection; undefined where the header does not say: UNKNOWN, LOCAL, or an address of no known kind. */
  readonly source: Address | undefined
  /** Where to; undefined as above. */
  readonly destination: Address | undefined
}

/** Begins a header of version 2. */
export const signature = Uint8Array.of(0x0d, 0x0a, 0x0d, 0x0a, 0x00, 0x0d, 0x0a, 0x51, 0x55, 0x49, 0x54, 0x0a)

/** The longest header of version 1, with its line end, bytes. */
export const longestLine = 107

/** A header of version 2 up to its addresses, bytes. */
export const fixedPart = 16
