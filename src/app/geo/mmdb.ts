/** Databases of countries in MaxMind's form (GeoLite2-Country and the like), as a source of lists of addresses. */
import { type CountryResponse, Reader } from 'mmdb-lib'
import type { Ip } from '../../routing/addresses.ts'
import { GeoError } from '../../routing/geo/data-file.ts'
import type { AddressSource } from '../../routing/geo/lists.ts'

/** @throws GeoError for what is no such database */
export function countryDatabase(bytes: Buffer, name: string): AddressSource {
  let reader: Reader<CountryResponse>
  try {
    reader = new Reader<CountryResponse>(bytes)
  } catch (error) {
    throw new GeoError(`${name}: this is not a MaxMind database: ${(error as Error).message}`)
  }
  return {
    addresses(code) {
      const wanted = code.toUpperCase()
      return {
        knows: () => true,
        has: (ip) => countryOf(reader.get(textOf(ip))) === wanted,
      }
    },
  }
}

/** Some databases have a bare text in the place of the country. */
function countryOf(found: CountryResponse | string | null): string | undefined {
  if (typeof found === 'string') return found.toUpperCase()
  return (found?.country ?? found?.registered_country)?.iso_code?.toUpperCase()
}

function textOf(ip: Ip): string {
  if (typeof ip === 'number') return [ip >>> 24, (ip >>> 16) & 255, (ip >>> 8) & 255, ip & 255].join('.')
  return [...ip]
    .flatMap((word) => [word >>> 16, word & 0xffff])
    .map((group) => group.toString(16))
    .join(':')
}
