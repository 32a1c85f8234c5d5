/** What the built-in DNS asks the system. */
import { networkInterfaces } from 'node:os'
import type { Clock } from '../../core/env.ts'
import type { RecordType } from '../../core/name-service.ts'
import { parseHostsFile } from '../../dns/hosts-file.ts'
import { systemFiles } from '../names/system-files.ts'

/** Types of which this machine has addresses that lead anywhere. */
export function reachableTypes(): readonly RecordType[] {
  const own = Object.values(networkInterfaces()).flatMap((list) => list ?? [])
  const wide = own.filter(({ internal, address }) => !internal && !/^(fe80|169\.254)/i.test(address))
  const types = (['A', 'AAAA'] as const).filter((type) =>
    wide.some(({ family }) => (family === 'IPv4') === (type === 'A')),
  )
  return types.length > 0 ? types : ['A', 'AAAA']
}

/** Addresses of a name in the hosts file, as it is now. */
export function hostsFile(clock: Clock): (name: string) => readonly string[] {
  const files = systemFiles(clock)
  return (name) => parseHostsFile(files().hosts).get(name) ?? []
}
