import { resolve } from 'node:path'
import { listsWith, openDataFile } from '../../app/geo/inspect.ts'
import { parseHost } from '../../core/address.ts'
import { CliError, exitCodes, usageError } from '../process/exit.ts'
import type { Terminal } from '../process/terminal.ts'

export interface GeoFlags {
  readonly file?: string
  readonly dir?: string
}

/** `geo list`: the lists of a data file. `geo lookup`: those that have a name or an address. */
export function geo(what: string, asked: string | undefined, flags: GeoFlags, terminal: Terminal): number {
  if (what !== 'list' && what !== 'lookup') throw usageError(`geo ${what}: unknown; write geo list or geo lookup`)
  if (what === 'lookup' && !asked) throw usageError('geo lookup: write the name or the address after it')
  const ofNames = asked === undefined || parseHost(asked).kind === 'domain'
  const name = flags.file ?? (what === 'list' ? undefined : ofNames ? 'geosite.dat' : 'geoip.dat')
  const names = name === undefined ? ['geoip.dat', 'geosite.dat'] : [name]
  const faults: string[] = []
  for (const file of names) {
    try {
      print(file, what === 'lookup' ? asked : undefined, flags, terminal)
    } catch (error) {
      faults.push((error as Error).message)
    }
  }
  for (const fault of faults) terminal.err(fault)
  if (faults.length === names.length) throw new CliError(exitCodes.config, 'No data file could be read.')
  return exitCodes.ok
}

function print(name: string, asked: string | undefined, { dir }: GeoFlags, terminal: Terminal): void {
  const directories = dir === undefined ? [terminal.cwd] : [resolve(terminal.cwd, dir)]
  const { file, path, close } = openDataFile(name, directories, terminal.env)
  try {
    terminal.err(path)
    const lists = asked === undefined ? file.codes : listsWith(file, asked)
    if (lists.length === 0) terminal.err('  in no list')
    for (const code of lists) terminal.out(code.toLowerCase())
  } finally {
    close()
  }
}
