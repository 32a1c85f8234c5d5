/**
 * The fields of the request header, the same in both authentication modes.
 *
 *     version 1 | IV 16 | key 16 | V 1 | options 1 | padding length, security 4+4 bits | 0 1 | command 1
 *     | port 2 | address type 1 | address 4, 16 or 1+n | padding 0..15 | FNV-1a 4              no address for mux
 */
import type { Address } from '../../../core/address.ts'
import { ProxyError } from '../../../core/errors.ts'
import { fnv1a32 } from '../../../crypto/checksum.ts'
import { decodePortFirst, encodePortFirst, hostKinds, portFirstLength } from '../../wire/port-first.ts'
import type { BodyOptions, Security } from '../body/body.ts'

export type Command = 'tcp' | 'udp' | 'mux'

export interface RequestHeader {
  /** 16 bytes each. */
  readonly iv: Uint8Array
  readonly key: Uint8Array
  /** The byte that the response must repeat. */
  readonly v: number
  readonly options: BodyOptions
  readonly security: Security
  readonly command: Command
  /** Not sent for mux. */
  readonly target: Address
}

const securityBytes: Readonly<Record<Security, number>> = {
  'aes-128-cfb': 1,
  'aes-128-gcm': 3,
  'chacha20-poly1305': 4,
  none: 5,
}
const commandBytes: Readonly<Record<Command, number>> = { tcp: 1, udp: 2, mux: 3 }
const optionBits = { chunkStream: 0x01, chunkMasking: 0x04, globalPadding: 0x08, authenticatedLength: 0x10 } as const

const nameOf = <T extends string>(table: Readonly<Record<T, number>>, byte: number): T | undefined =>
  (Object.keys(table) as T[]).find((name) => table[name] === byte)

/** Where multiplexed connections claim to go. */
export const muxTarget: Address = { host: 'v1.mux.cool', port: 0 }

/** Length of the fields up to the command. */
export const fixedLength = 38
const checksumLength = 4

export function encodeOptions(options: BodyOptions): number {
  return (
    (options.chunkStream ? optionBits.chunkStream : 0) |
    (options.chunkMasking ? optionBits.chunkMasking : 0) |
    (options.globalPadding ? optionBits.globalPadding : 0) |
    (options.authenticatedLength ? optionBits.authenticatedLength : 0)
  )
}

/** Unknown bits are ignored. */
export const decodeOptions = (byte: number): BodyOptions => ({
  chunkStream: (byte & optionBits.chunkStream) !== 0,
  chunkMasking: (byte & optionBits.chunkMasking) !== 0,
  globalPadding: (byte & optionBits.globalPadding) !== 0,
  authenticatedLength: (byte & optionBits.authenticatedLength) !== 0,
})

/** The fields with their checksum. @param padding 0 to 15 random bytes. @throws ProxyError ADDRESS_INVALID */
export function encodeRequest(header: RequestHeader, padding: Uint8Array): Uint8Array {
  const address = header.command === 'mux' ? new Uint8Array(0) : encodePortFirst(header.target)
  const length = fixedLength + address.length + padding.length + checksumLength
  const plain = new Uint8Array(length)
  plain[0] = 1
  plain.set(header.iv, 1)
  plain.set(header.key, 17)
  plain[33] = header.v
  plain[34] = encodeOptions(header.options)
  plain[35] = (padding.length << 4) | securityBytes[header.security]
  plain[37] = commandBytes[header.command]
  plain.set(address, fixedLength)
  plain.set(padding, fixedLength + address.length)
  writeU32(plain, length - checksumLength, fnv1a32(plain, 0, length - checksumLength))
  return plain
}

/**
 * How long the fields are, as far as the bytes that are there can tell: while the result exceeds `plain.length`, more are
 * needed. At most 316 bytes. @throws ProxyError where no further byte could make sense
 */
export function requestLength(plain: Uint8Array): number {
  if (plain.length < fixedLength) return fixedLength
  if (plain[0] !== 1) throw new ProxyError('VMESS_HEADER_INVALID', `unknown version ${plain[0]} of the request header`)
  const behind = (plain[35]! >> 4) + checksumLength
  const command = nameOf(commandBytes, plain[37]!)
  if (command === undefined) {
    throw new ProxyError(
      'VMESS_COMMAND_UNSUPPORTED',
      `unknown command ${plain[37]}; known are 1 (TCP), 2 (UDP), 3 (Mux)`,
    )
  }
  if (command === 'mux') return fixedLength + behind
  const at = fixedLength + 3
  if (plain.length < at) return at
  switch (plain[at - 1]) {
    case hostKinds.ipv4:
      return at + 4 + behind
    case hostKinds.ipv6:
      return at + 16 + behind
    case hostKinds.domain:
      return plain.length > at ? at + 1 + plain[at]! + behind : at + 1
    default:
      throw new ProxyError('VMESS_ADDRESS_INVALID', `unknown address type ${plain[at - 1]}`)
  }
}

/**
 * Reads complete fields; what is behind the checksum is ignored.
 * @throws ProxyError VMESS_HEADER_INVALID, VMESS_COMMAND_UNSUPPORTED, VMESS_ADDRESS_INVALID; VMESS_CHECKSUM
 */
export function decodeRequest(plain: Uint8Array): RequestHeader {
  const length = verifiedLength(plain)
  const security = nameOf(securityBytes, plain[35]! & 0x0f)
  if (security === undefined) {
    throw new ProxyError('VMESS_HEADER_INVALID', `unknown security ${plain[35]! & 0x0f} in the request header`)
  }
  const command = nameOf(commandBytes, plain[37]!)!
  const target = command === 'mux' ? muxTarget : decodeAddress(plain.subarray(fixedLength, length))
  const { iv, key } = sessionKeys(plain)
  return { iv, key, v: plain[33]!, options: decodeOptions(plain[34]!), security, command, target }
}

/**
 * Length of the fields once their checksum is known to be right.
 * @throws ProxyError VMESS_HEADER_INVALID, VMESS_COMMAND_UNSUPPORTED, VMESS_ADDRESS_INVALID; VMESS_CHECKSUM
 */
export function verifiedLength(plain: Uint8Array): number {
  const length = requestLength(plain)
  if (length > plain.length) {
    throw new ProxyError('VMESS_HEADER_INVALID', `the request header ends after ${plain.length} of ${length} bytes`)
  }
  const sumAt = length - checksumLength
  if (fnv1a32(plain, 0, sumAt) !== readU32(plain, sumAt)) {
    throw new ProxyError('VMESS_CHECKSUM', 'the checksum of the request header is wrong')
  }
  return length
}

/** Body IV and key out of at least 38 bytes of fields, copied. */
export const sessionKeys = (plain: Uint8Array): { iv: Uint8Array; key: Uint8Array } => ({
  iv: plain.slice(1, 17),
  key: plain.slice(17, 33),
})

function decodeAddress(bytes: Uint8Array): Address {
  const address = decodePortFirst(bytes.subarray(0, portFirstLength(bytes, 0, bytes.length)))
  if (address !== undefined) return address
  throw new ProxyError('VMESS_ADDRESS_INVALID', 'the request names a domain that is empty or has impossible characters')
}

const writeU32 = (bytes: Uint8Array, at: number, value: number): void => {
  for (let i = 0; i < 4; i++) bytes[at + i] = value >>> (24 - 8 * i)
}

const readU32 = (bytes: Uint8Array, at: number): number =>
  ((bytes[at]! << 24) | (bytes[at + 1]! << 16) | (bytes[at + 2]! << 8) | bytes[at + 3]!) >>> 0
