/** TLS as links describe it. */
import type { LinkTls } from './model.ts'
import { linkError, quote, readAddress, readFlag, readList } from './text.ts'

export interface TlsWords {
  readonly serverName?: string
  readonly alpn?: string
  readonly allowInsecure?: string
  readonly fingerprint?: string
  /** Certificate pins, separated by commas or `~`. */
  readonly pins?: string
  readonly verifyNames?: string
  /** The link's address: a server name equal to it is the default. */
  readonly address: string
}

export function readTls(words: TlsWords): LinkTls {
  const name = (words.serverName ?? '').trim()
  const serverName = name === '' ? '' : readAddress(name, 'the TLS server name')
  return {
    serverName: serverName.toLowerCase() === words.address.toLowerCase() ? '' : serverName,
    alpn: readList(words.alpn ?? ''),
    allowInsecure: readFlag(words.allowInsecure ?? '', 'allowInsecure'),
    fingerprint: (words.fingerprint ?? '').trim(),
    pinnedCertSha256: readList(words.pins ?? '', /[,~]/).map(readPin),
    verifyNames: readList(words.verifyNames ?? ''),
  }
}

function readPin(text: string): string {
  const hex = text.replaceAll(':', '').toLowerCase()
  if (/^[0-9a-f]{64}$/.test(hex)) return hex
  throw linkError('the certificate pin', `${quote(text)} is not a SHA-256`, 'write 64 hex digits')
}

/**
 * The word of a stream security field. Unknown words are refused: taking them for "no TLS" would send in the clear
 * what the writer of the link wanted sealed.
 */
export function readTlsSwitch(word: string, part: string): boolean {
  const text = word.trim().toLowerCase()
  if (text === 'reality') {
    throw linkError(part, 'asks for REALITY, which needs another TLS library than Node has', 'use a link with tls')
  }
  if (['', 'none', '0', 'null', 'false', 'off', 'no', 'undefined'].includes(text)) return false
  if (['1', 'true', 'on', 'yes'].includes(text) || text.endsWith('tls')) return true
  throw linkError(part, `${quote(word)} is unknown`, 'write tls, or leave it empty')
}
