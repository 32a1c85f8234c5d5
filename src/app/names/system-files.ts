import { getServers } from 'node:dns'
import { readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { Clock } from '../../core/env.ts'
import { limits } from '../../core/limits.ts'
import type { SystemFiles } from '../../dns/system-names.ts'

const windows = process.platform === 'win32'

/** Where the system keeps its settings for names. Windows has its list of name servers elsewhere. */
export const systemPaths = {
  resolvConf: windows ? '' : '/etc/resolv.conf',
  hosts: windows ? join(process.env.SystemRoot ?? 'C:\\Windows', 'System32\\drivers\\etc\\hosts') : '/etc/hosts',
  nsswitch: windows ? '' : '/etc/nsswitch.conf',
}

/**
 * The system's settings for names. They are looked at every `limits.systemNamesMs` at most, and read again when one of the
 * files has changed; until then it is the same object.
 */
export function systemFiles(clock: Clock, paths = systemPaths): () => SystemFiles {
  let last: { readonly files: SystemFiles; readonly mark: string } | undefined
  let lookedAtMs = 0
  return () => {
    if (last && clock.elapsed() - lookedAtMs < limits.systemNamesMs) return last.files
    lookedAtMs = clock.elapsed()
    const mark = Object.values(paths).map(stamp).join()
    if (last?.mark !== mark) last = { files: read(paths), mark }
    return last.files
  }
}

function read({ resolvConf, hosts, nsswitch }: typeof systemPaths): SystemFiles {
  return {
    resolvConf: windows ? getServers().map(serverLine).join('\n') : (text(resolvConf) ?? ''),
    hosts: text(hosts) ?? '',
    nsswitch: text(nsswitch),
    system: process.platform === 'linux' ? 'plain' : 'own',
  }
}

const serverLine = (server: string): string => `nameserver ${server.replace(/^\[(.*)\].*$/, '$1')}`

/** What is different after a change: the time of it, the length, and which file it is. */
function stamp(path: string): string {
  try {
    const { mtimeMs, size, ino } = statSync(path)
    return `${mtimeMs} ${size} ${ino}`
  } catch {
    return ''
  }
}

function text(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
