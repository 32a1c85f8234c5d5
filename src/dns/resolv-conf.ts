/** The text of /etc/resolv.conf (resolv.conf(5)). What cannot be read is passed over, as the system's library does. */

import type { Address } from '../core/address.ts'
import { isLiteral, readHostName } from './host-name.ts'

export interface ResolvConf {
  readonly servers: readonly Address[]
  readonly search: readonly string[]
  /** Dots from which on a name is first asked for as it is. */
  readonly ndots: number
  /** How long one query may take, ms. */
  readonly timeoutMs: number
  /** How often the list of servers is gone through. */
  readonly attempts: number
  readonly rotate: boolean
  readonly alwaysTcp: boolean
  /** Do not ask for IPv6 addresses. */
  readonly noIPv6: boolean
}

/** Bounds of the system's library; a longer search list than this would only be a way to ask for very much at once. */
const serversMax = 3
const searchMax = 32

export function parseResolvConf(text: string): ResolvConf {
  const servers: Address[] = []
  let search: string[] = []
  let options: string[] = []
  for (const line of text.split('\n')) {
    const [word = '', ...values] = line.trim().split(/\s+/)
    if (word === 'nameserver' && values[0] && isLiteral(values[0])) servers.push({ host: values[0], port: 53 })
    else if (word === 'search') search = values
    else if (word === 'domain') search = values.slice(0, 1)
    else if (word === 'options') options = [...options, ...values]
  }
  const number = (name: string, least: number, otherwise: number, most: number): number => {
    const value = options.findLast((option) => option.startsWith(`${name}:`))?.slice(name.length + 1) ?? ''
    return /^\d+$/.test(value) ? Math.min(Math.max(Number(value), least), most) : otherwise
  }
  return {
    servers: servers.length > 0 ? servers.slice(0, serversMax) : [{ host: '127.0.0.1', port: 53 }],
    search: search.flatMap((domain) => readHostName(domain)?.text ?? []).slice(0, searchMax),
    ndots: number('ndots', 0, 1, 15),
    timeoutMs: number('timeout', 1, 5, 30) * 1000,
    attempts: number('attempts', 1, 2, 5),
    rotate: options.includes('rotate'),
    alwaysTcp: options.includes('use-vc'),
    noIPv6: options.includes('no-aaaa'),
  }
}
