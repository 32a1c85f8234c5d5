import { type HostName, isLocalNetwork, isSingleLabel } from './host-name.ts'

/** When the system's resolver is asked besides, or instead of, hosts file and name servers. */
export interface NameSources {
  /** Before the name servers: names that belong to another mechanism. */
  first(name: HostName): boolean
  /** After the name servers did not know it. */
  last(name: HostName): boolean
}

/** What the hosts file and a name server know: the system's library has no more to say. */
const ours = /^(files|dns)$/

/** These know names of this machine and of the local network, and pass on what a name server knows. */
const nearby = /^(mdns\w*|resolve|myhostname|mymachines)$/

/**
 * From the text of /etc/nsswitch.conf; undefined where there is none. `system: 'plain'` is a C library that knows hosts
 * file and name servers only when that file is missing (Linux); elsewhere the system has ways of its own.
 */
export function nameSources(nsswitch: string | undefined, system: 'plain' | 'own'): NameSources {
  const line = /^\s*hosts:(.*)$/m.exec(nsswitch ?? '')?.[1] ?? (system === 'own' ? 'files mdns dns' : 'files dns')
  const sources = line
    .replace(/#.*|\[.*?\]/g, ' ')
    .trim()
    .split(/\s+/)
  const more = sources.filter((source) => source !== '' && !ours.test(source))
  const multicast = more.some((source) => /^(mdns|resolve)/.test(source))
  const other = more.some((source) => !nearby.test(source))
  return {
    first: (name) => multicast && isLocalNetwork(name),
    last: (name) => other || (more.length > 0 && isSingleLabel(name)),
  }
}
