/** Host names as people write them, and what is to be asked for them. */

import { isLoopback, parseHost } from '../core/address.ts'

export interface HostName {
  /** Lower case, ASCII, no dot at the end. */
  readonly text: string
  /** It was written with a dot at the end: it is looked up as it is. */
  readonly absolute: boolean
}

/** Undefined for what can be no host name: too long, an empty label, blanks, control characters. */
export function readHostName(written: string): HostName | undefined {
  const absolute = written.endsWith('.')
  const text = ascii(absolute ? written.slice(0, -1) : written)
  return text !== undefined && isName(text) ? { text, absolute } : undefined
}

/** International names travel in their ASCII form. */
function ascii(name: string): string | undefined {
  if (/^[\x21-\x7e]*$/.test(name)) return name.toLowerCase()
  try {
    return new URL(`http://${name}`).hostname
  } catch {
    return undefined
  }
}

const isName = (text: string): boolean =>
  text.length <= 253 && text.split('.').every((label) => /^[\x21-\x7e]{1,63}$/.test(label))

/** An IP address as text, perhaps with a zone. */
export const isLiteral = (host: string): boolean => parseHost(host.replace(/%.*$/, '')).kind !== 'domain'

/** Names that never leave this machine (RFC 6761). */
export const isLocalhost = ({ text }: HostName): boolean => text === 'localhost' || text.endsWith('.localhost')

/** The loopback addresses that the hosts file gives it, else both. */
export function loopbackAddresses(fromHosts: readonly string[] | undefined): readonly string[] {
  const own = (fromHosts ?? []).filter((host) => isLoopback({ host, port: 0 }))
  return own.length > 0 ? own : ['::1', '127.0.0.1']
}

/**
 * Names that no name server knows and none may see: for other networks (RFC 7686), for nobody (RFC 6761), and numbers,
 * which some system libraries take for addresses.
 */
export const isNowhere = (text: string): boolean =>
  /(^|\.)(onion|invalid)$/.test(text) || /(^|\.)(\d+|0x[\da-f]*)$/.test(text)

/** Names of multicast DNS (RFC 6762). */
export const isLocalNetwork = ({ text }: HostName): boolean => text === 'local' || text.endsWith('.local')

export const isSingleLabel = ({ text }: HostName): boolean => !text.includes('.')

/**
 * Names to ask for in turn, as the system's library does: with fewer dots than `ndots` the search list comes before the
 * name as it is, otherwise after it.
 */
export function candidates(name: HostName, { search, ndots }: { search: readonly string[]; ndots: number }): string[] {
  if (name.absolute) return [name.text]
  const dots = name.text.split('.').length - 1
  const longer = search.map((domain) => `${name.text}.${domain}`).filter(isName)
  return dots < ndots ? [...longer, name.text] : [name.text, ...longer]
}

export const ofFamily = (addresses: readonly string[], family: 0 | 4 | 6): readonly string[] =>
  family === 0 ? addresses : addresses.filter((address) => address.includes(':') === (family === 6))
