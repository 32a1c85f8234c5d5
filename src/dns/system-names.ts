import { type Hosts, parseHostsFile } from './hosts-file.ts'
import { type NameSources, nameSources } from './name-sources.ts'
import { parseResolvConf, type ResolvConf } from './resolv-conf.ts'

/** The texts that say how this machine resolves names; `''` for a file that cannot be read. */
export interface SystemFiles {
  readonly resolvConf: string
  readonly hosts: string
  /** Undefined where there is no such file. */
  readonly nsswitch: string | undefined
  /** `plain`: without nsswitch.conf the system knows hosts file and name servers only; `own`: it has ways of its own. */
  readonly system: 'plain' | 'own'
}

export interface SystemNames {
  readonly conf: ResolvConf
  readonly hosts: Hosts
  readonly sources: NameSources
}

/** What the files say now. Each is read again only when it is another text. */
export function systemNames(files: () => SystemFiles): () => SystemNames {
  const conf = remembered(parseResolvConf)
  const hosts = remembered(parseHostsFile)
  let before: SystemFiles | undefined
  let names: SystemNames | undefined
  return () => {
    const now = files()
    if (names && now === before) return names
    before = now
    names = { conf: conf(now.resolvConf), hosts: hosts(now.hosts), sources: nameSources(now.nsswitch, now.system) }
    return names
  }
}

/** The same object for the same text as before. */
function remembered<T>(parse: (text: string) => T): (text: string) => T {
  let last: { readonly text: string; readonly value: T } | undefined
  return (text) => {
    if (last?.text !== text) last = { text, value: parse(text) }
    return last.value
  }
}
