/** Lists by file and name, each read once for one set of rules. */
import { parseHost } from '../../core/address.ts'
import { type Addresses, AddressSetBuilder } from '../addresses.ts'
import { DataFile, GeoError, type RandomAccess } from './data-file.ts'
import { dotless, privateBlocks, privateNames } from './private.ts'

/** Lists of addresses in another form than a .dat file. */
export interface AddressSource {
  addresses(code: string): Addresses
}

/** Where data files are: opened, or (a string) why there is none, with where it was looked for. */
export type FindFile = (name: string) => RandomAccess | AddressSource | string

export type NameKind = 'keyword' | 'regexp' | 'domain' | 'full'

const kinds: readonly NameKind[] = ['keyword', 'regexp', 'domain', 'full']

export class GeoLists {
  readonly #find: FindFile
  readonly #files = new Map<string, DataFile | AddressSource>()
  readonly #sets = new Map<string, Addresses>()

  constructor(find: FindFile) {
    this.#find = find
  }

  /** Entries of a list of names. @throws GeoError */
  names(
    file: string,
    code: string,
    attributes: readonly string[],
    take: (kind: NameKind, value: string) => void,
  ): void {
    const builtin = file === 'geosite.dat' && code.toLowerCase() === 'private' && attributes.length === 0
    const data = this.#open(file, builtin, (found) => !(found instanceof DataFile) || !found.has(code))
    if (data === 'builtin') {
      for (const name of privateNames) take('domain', name)
      take('regexp', dotless)
    } else if (!(data instanceof DataFile)) throw new GeoError(`${file}: this file has addresses, not names`)
    else {
      naming(file, () => data.sites(code, attributes, ({ type, value }) => take(kinds[type] ?? 'keyword', value)))
    }
  }

  /** The set of a list of addresses. @throws GeoError */
  addresses(file: string, code: string): Addresses {
    const key = `${file}:${code.toLowerCase()}`
    const known = this.#sets.get(key)
    if (known) return known
    const builtin = file === 'geoip.dat' && code.toLowerCase() === 'private'
    const data = this.#open(file, builtin, (found) => found instanceof DataFile && !found.has(code))
    if (data !== 'builtin' && !(data instanceof DataFile)) return data.addresses(code)
    const builder = new AddressSetBuilder()
    if (data === 'builtin') {
      for (const text of privateBlocks) {
        const [ip = '', prefix] = text.split('/')
        const host = parseHost(ip)
        if (host.kind !== 'domain') builder.add(host.bytes, Number(prefix))
      }
    } else naming(file, () => data.blocks(code, (bytes, prefix) => builder.add(bytes, prefix)))
    const set = builder.build()
    this.#sets.set(key, set)
    return set
  }

  /** The file; `builtin` stands in where there is none, or where it `lacks` the list. */
  #open(
    file: string,
    builtin: boolean,
    lacks: (file: DataFile | AddressSource) => boolean,
  ): DataFile | AddressSource | 'builtin' {
    let data = this.#files.get(file)
    if (!data) {
      const found = this.#find(file)
      if (typeof found === 'string') {
        if (builtin) return 'builtin'
        throw new GeoError(found)
      }
      data = 'size' in found ? naming(file, () => new DataFile(found)) : found
      this.#files.set(file, data)
    }
    return builtin && lacks(data) ? 'builtin' : data
  }
}

function naming<T>(file: string, run: () => T): T {
  try {
    return run()
  } catch (error) {
    if (error instanceof GeoError) throw new GeoError(`${file}: ${error.message}`)
    throw error
  }
}
