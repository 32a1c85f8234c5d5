/** Where geoip.dat and geosite.dat are: everywhere where users of V2Ray and Xray have them. */
import { closeSync, fstatSync, openSync, readFileSync, readSync, realpathSync } from 'node:fs'
import { homedir } from 'node:os'
import { dirname, isAbsolute, join, resolve } from 'node:path'
import type { RandomAccess } from '../../routing/geo/data-file.ts'
import type { FindFile } from '../../routing/geo/lists.ts'
import { countryDatabase } from './mmdb.ts'

export type Variables = Readonly<Record<string, string | undefined>>

/** Directories in the order in which they are looked into; `beside` are those of the configuration files. */
export function assetDirectories(beside: readonly string[], env: Variables = process.env): readonly string[] {
  const variables = ['vmess', 'xray', 'v2ray'].flatMap((name) => {
    const dotted = `${name}.location.asset`
    return [env[dotted], env[dotted.replaceAll('.', '_').toUpperCase()]]
  })
  const data = env.XDG_DATA_HOME || join(homedir(), '.local/share')
  const shares = ['/usr/local/share', '/usr/share', '/opt/share', data]
  const names = ['vmess', 'xray', 'v2ray']
  const found = [
    ...variables.filter((value) => value !== undefined && value !== ''),
    ...beside,
    programDirectory(),
    ...names.flatMap((name) => shares.map((share) => join(share, name))),
  ]
  return [...new Set(found.map((directory) => resolve(directory!)))]
}

/** The directory of the script that was started, links followed. */
function programDirectory(): string {
  const script = resolve(process.argv[1] ?? '.')
  try {
    return dirname(realpathSync(script))
  } catch {
    return dirname(script)
  }
}

/** A finder that looks into these directories. What it opens stays open until `close`. */
export class AssetFiles {
  readonly #directories: readonly string[]
  readonly #open: number[] = []

  constructor(directories: readonly string[]) {
    this.#directories = directories
  }

  readonly find: FindFile = (name) => {
    const places = isAbsolute(name) ? [name] : this.#directories.map((directory) => join(directory, name))
    for (const path of places) {
      const file = this.#opened(path)
      if (file === undefined) continue
      return name.endsWith('.mmdb') ? countryDatabase(readFileSync(path), name) : file
    }
    const looked = places.map((path) => `  ${path}`).join('\n')
    return `${name} was not found. Looked for:\n${looked}\n${adviceFor(name)}`
  }

  /** Where a file was found, for people. */
  pathOf(name: string): string | undefined {
    return this.#directories.map((directory) => join(directory, name)).find((path) => this.#opened(path) !== undefined)
  }

  #opened(path: string): RandomAccess | undefined {
    let fd: number
    try {
      fd = openSync(path, 'r')
    } catch {
      return undefined
    }
    this.#open.push(fd)
    const { size } = fstatSync(fd)
    return {
      size,
      read(at, length) {
        const bytes = new Uint8Array(Math.max(0, Math.min(length, size - at)))
        let filled = 0
        while (filled < bytes.length) {
          const read = readSync(fd, bytes, filled, bytes.length - filled, at + filled)
          if (read === 0) break
          filled += read
        }
        return bytes.subarray(0, filled)
      },
    }
  }

  close(): void {
    for (const fd of this.#open.splice(0)) closeSync(fd)
  }
}

function adviceFor(name: string): string {
  const address = 'https://github.com/v2fly'
  if (name === 'geoip.dat')
    return `Get it from ${address}/geoip/releases/latest, or set VMESS_LOCATION_ASSET to its directory.`
  if (name === 'geosite.dat') {
    return `Get it (there as dlc.dat) from ${address}/domain-list-community/releases/latest, or set VMESS_LOCATION_ASSET to its directory.`
  }
  return 'Put it beside the configuration, or set VMESS_LOCATION_ASSET to its directory.'
}
