/** First bytes of a stream that travel inside the request, in base64url. */

import type { EarlyData } from '../../settings/upgrade.ts'

/** The header that browsers can set, which servers know without being told. */
export const protocolHeader = 'Sec-Websocket-Protocol'

export const encodeEarlyData = (bytes: Uint8Array): string =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('base64url')

/** Reads every form that peers write: either alphabet, with or without padding. Undefined if it is none of them. */
export function decodeEarlyData(text: string): Uint8Array | undefined {
  const bare = text.replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '')
  if (!/^[\w-]*$/.test(bare) || bare.length % 4 === 1) return undefined
  return new Uint8Array(Buffer.from(bare, 'base64url'))
}

/** Where a client puts them: at the end of the path unless a header is named. */
export const inPath = (early: EarlyData): boolean => early.headerName === ''
