/** The names of an instance on this machine. */
import { networkInterfaces } from 'node:os'
import type { Clock } from '../../core/env.ts'
import type { Ground } from '../../core/ground.ts'
import type { RecordType } from '../../core/name-service.ts'
import { parseHostsFile } from '../../dns/hosts-file.ts'
import type { Config } from '../../settings/model.ts'
import { systemGround } from '../build/ground.ts'
import { systemFiles } from '../names/system-files.ts'
import { Names, type NamesDeps } from './names.ts'

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

interface InstanceDeps extends Pick<NamesDeps, 'env' | 'nextId' | 'route' | 'observer' | 'resolve' | 'findAsset'> {
  /** Wraps the ground; loop guard and API guard sit there. */
  readonly watch: (ground: Ground) => Ground
}

export function instanceNames(config: Pick<Config, 'dns' | 'fakePools'>, { watch, ...deps }: InstanceDeps): Names {
  const { clock } = deps.env
  return new Names(config, {
    ...deps,
    clock,
    ground: () => watch(systemGround({ clock, resolve: deps.resolve, keepAliveIdleS: 0 })),
    reachable: reachableTypes,
    hosts: hostsFile(clock),
  })
}
