import { formatHost, parseHost } from '../core/address.ts'

/** Addresses by name, in the order of the file. */
export type Hosts = ReadonlyMap<string, readonly string[]>

/** The text of a hosts file (hosts(5)): an address and its names on each line. What cannot be read is passed over. */
export function parseHostsFile(text: string): Hosts {
  const hosts = new Map<string, string[]>()
  for (const line of text.split('\n')) {
    const [written = '', ...names] = line.replace(/#.*/, '').trim().split(/\s+/)
    const zone = written.includes('%')
    const host = parseHost(zone ? written.replace(/%.*$/, '') : written)
    if (host.kind === 'domain') continue
    const address = zone ? written : formatHost(host)
    for (const name of names) {
      const key = name.toLowerCase().replace(/\.$/, '')
      const addresses = hosts.get(key)
      if (!addresses) hosts.set(key, [address])
      else if (!addresses.includes(address)) addresses.push(address)
    }
  }
  return hosts
}
