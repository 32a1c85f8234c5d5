/** What data files hold, for people who ask. */
import { parseHost } from '../../core/address.ts'
import { AddressSetBuilder, ipOf } from '../../routing/addresses.ts'
import { comparable, DomainTable } from '../../routing/domains.ts'
import { DataFile } from '../../routing/geo/data-file.ts'
import { regexpFault } from '../../routing/regexps.ts'
import { AssetFiles, assetDirectories, type Variables } from './find.ts'

const kinds = ['keyword', 'regexp', 'domain', 'full'] as const

/** An open data file. @throws GeoError; Error that says where it was looked for */
export function openDataFile(
  name: string,
  directories: readonly string[],
  env: Variables,
): { readonly file: DataFile; readonly path: string; close(): void } {
  const assets = new AssetFiles(assetDirectories(directories, env))
  const found = assets.find(name)
  if (typeof found === 'string') {
    assets.close()
    throw new Error(found)
  }
  if (!('size' in found)) throw new Error(`${name}: only .dat files can be listed`)
  return { file: new DataFile(found), path: assets.pathOf(name) ?? name, close: () => assets.close() }
}

/** The lists of a file that have a name or an address in them. */
export function listsWith(file: DataFile, asked: string): string[] {
  return parseHost(asked).kind === 'domain' ? listsWithName(file, asked) : listsWithAddress(file, asked)
}

function listsWithName(file: DataFile, asked: string): string[] {
  const table = new DomainTable()
  for (const [id, code] of file.codes.entries()) {
    file.sites(code, [], ({ type, value }) => {
      const kind = kinds[type] ?? 'keyword'
      if (kind !== 'regexp') table.add(kind, comparable(value), id)
      else if (!regexpFault(value)) table.add(kind, value, id)
    })
  }
  table.match(comparable(asked))
  return file.codes.filter((_code, id) => table.holds(id))
}

function listsWithAddress(file: DataFile, asked: string): string[] {
  const ip = ipOf(asked)!
  return file.codes.filter((code) => {
    const builder = new AddressSetBuilder()
    file.blocks(code, (bytes, prefix) => builder.add(bytes, prefix))
    return builder.build().has(ip)
  })
}
