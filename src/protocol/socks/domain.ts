import { formatHost, parseHost } from '../../core/address.ts'

/** A domain of the characters that every server accepts, or an IP literal in its place; else undefined. */
export function domainOf(bytes: Uint8Array): string | undefined {
  const text = String.fromCharCode(...bytes)
  const host = parseHost(text)
  if (host.kind !== 'domain') return formatHost(host)
  return /^[0-9A-Za-z._-]{1,255}$/.test(text) ? text : undefined
}
