/** geosite.dat and geoip.dat of a few entries each. */
import { parseHost } from '../../src/core/address.ts'
import type { RandomAccess } from '../../src/routing/geo/data-file.ts'

const varint = (value: number): number[] => (value > 127 ? [(value % 128) + 128, ...varint(value >> 7)] : [value])
const field = (number: number, bytes: Uint8Array): Buffer =>
  Buffer.concat([Buffer.from([number * 8 + 2, ...varint(bytes.length)]), bytes])
const text = (number: number, value: string): Buffer => field(number, Buffer.from(value))

const listed = (code: string, entries: readonly Buffer[]): Buffer =>
  field(1, Buffer.concat([text(1, code), ...entries.map((entry) => field(2, entry))]))

const fileOf = (lists: readonly Buffer[]): RandomAccess => {
  const bytes = Buffer.concat(lists)
  return { size: bytes.length, read: (at, length) => bytes.subarray(at, at + length) }
}

/** Each list holds names with their sub-domains. */
export const siteFile = (lists: Readonly<Record<string, readonly string[]>>): RandomAccess =>
  fileOf(
    Object.entries(lists).map(([code, names]) =>
      listed(
        code,
        names.map((name) => Buffer.concat([Buffer.from([8, 2]), text(2, name)])),
      ),
    ),
  )

/** Each list holds blocks, written as `10.0.0.0/8`. */
export const addressFile = (lists: Readonly<Record<string, readonly string[]>>): RandomAccess =>
  fileOf(
    Object.entries(lists).map(([code, blocks]) =>
      listed(
        code,
        blocks.map((block) => {
          const [address = '', bits = ''] = block.split('/')
          const host = parseHost(address)
          if (host.kind === 'domain') throw new Error(`${block} is no block`)
          return Buffer.concat([field(1, host.bytes), Buffer.from([16, ...varint(Number(bits))])])
        }),
      ),
    ),
  )
