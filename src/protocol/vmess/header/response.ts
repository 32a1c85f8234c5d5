/**
 * The response header.
 *
 *     fields  V 1 | options 1 | command 1 | command length 1 | command data n
 *     AEAD    sealed length 2+16 | sealed fields n+16
 *     legacy  fields, AES-128-CFB; with aes-128-cfb as security the body continues the same stream
 *
 * Pure functions over the response key and IV, which derive from those of the request.
 */
import { ProxyError } from '../../../core/errors.ts'
import { md5 } from '../../../crypto/hash.ts'
import { digestBytes, sha256Finish, sha256Start } from '../../../crypto/sha256-block.ts'
import {
  decodeSwitchAccount,
  encodeSwitchAccount,
  type SwitchAccount,
  switchAccountCommand,
} from '../switch-account.ts'
import type { AuthMode } from '../users/directory.ts'
import { headerSeals, responseHead } from './header-seals.ts'

export interface ResponseHeader {
  /** The byte of the request. */
  readonly v: number
  /** Without meaning; some servers repeat the options of the request. */
  readonly options: number
  readonly command?: SwitchAccount
}

export interface ResponseKeys {
  /** 16 bytes each. */
  readonly key: Uint8Array
  readonly iv: Uint8Array
}

/** What the response direction uses: a matter of the authentication mode, not of the security. */
export function responseKeys(mode: AuthMode, requestKey: Uint8Array, requestIv: Uint8Array): ResponseKeys {
  const derive = mode === 'aead' ? sha256Half : md5
  return { key: derive(requestKey), iv: derive(requestIv) }
}

const digest = new Int32Array(8)

/** The first 16 bytes of SHA-256: for one block a call into Node costs several times the work itself. */
function sha256Half(bytes: Uint8Array): Uint8Array {
  sha256Finish(sha256Start, bytes, digest)
  return digestBytes(digest, new Uint8Array(16))
}

/** The fields. A command that does not fit is left out. */
export function encodeResponse({ v, options, command }: ResponseHeader): Uint8Array {
  const data = command && encodeSwitchAccount(command)
  if (data === undefined) return Uint8Array.of(v, options, 0, 0)
  const plain = new Uint8Array(4 + data.length)
  plain.set([v, options, switchAccountCommand, data.length])
  plain.set(data, 4)
  return plain
}

/** Length of the fields as far as their first four bytes can tell. With no command there is no data, whatever its length says. */
export function responseLength(plain: Uint8Array): number {
  return plain.length < 4 || plain[2] === 0 ? 4 : 4 + plain[3]!
}

/**
 * Reads the fields; what is behind them is ignored, and so is a command that makes no sense.
 * @throws ProxyError RESPONSE_MISMATCH when V is not the request's, RESPONSE_AUTH_FAILED when they are too short
 */
export function decodeResponse(plain: Uint8Array, v: number): ResponseHeader {
  if (plain.length < 4)
    throw new ProxyError('RESPONSE_AUTH_FAILED', `the response header has only ${plain.length} bytes`)
  if (plain[0] !== v) {
    throw new ProxyError(
      'RESPONSE_MISMATCH',
      'the response does not belong to the request: its authentication byte differs',
    )
  }
  const command =
    plain[2] === switchAccountCommand ? decodeSwitchAccount(plain.subarray(4, responseLength(plain))) : undefined
  return { v, options: plain[1]!, ...(command && { command }) }
}

/** Length of the sealed length at the start of the AEAD form. */
export const sealedLengthLength = responseHead
const tagLength = 16

/** @returns 34 bytes more than `plain` */
export function sealResponse({ key, iv }: ResponseKeys, plain: Uint8Array): Uint8Array {
  const wire = new Uint8Array(sealedLengthLength + plain.length + tagLength)
  headerSeals().sealResponse(key, iv, plain, wire)
  return wire
}

/** Length of the sealed fields, tag included, out of the first 18 bytes; undefined when they do not open. */
export function openResponseLength({ key, iv }: ResponseKeys, sealed: Uint8Array): number | undefined {
  if (sealed.length < sealedLengthLength) return undefined
  const length = headerSeals().openResponseLength(key, iv, sealed)
  return length < 0 ? undefined : length + tagLength
}

/** The fields out of what follows the sealed length; undefined when they do not open. */
export function openResponse({ key, iv }: ResponseKeys, sealed: Uint8Array): Uint8Array | undefined {
  if (sealed.length < tagLength) return undefined
  const plain = new Uint8Array(sealed.length - tagLength)
  return headerSeals().openResponse(key, iv, sealed, plain) ? plain : undefined
}
