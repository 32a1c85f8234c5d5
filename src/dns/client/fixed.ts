import type { NameAnswer, RecordType } from '../../core/name-service.ts'
import type { DnsHost } from '../../settings/dns.ts'
import { addressesOf } from './families.ts'
import type { RankNames } from './matchers.ts'

/** How far names are followed that stand for each other. */
const aliasesMax = 6

/** How long a fixed answer holds, s: as with Xray. */
const fixedTtlS = 10

/** What the fixed answers say: an answer, or the name to ask for instead. */
export type Fixed = NameAnswer | { readonly ask: string }

/** The fixed answers of a configuration. */
export class FixedNames {
  readonly #hosts: readonly DnsHost[]
  readonly #rank: RankNames

  /** @param rank over the rules of `hosts` */
  constructor(hosts: readonly DnsHost[], rank: RankNames) {
    this.#hosts = hosts
    this.#rank = rank
  }

  /** @param name in lower case. `{ ask: name }`: nothing is fixed */
  find(name: string, types: readonly RecordType[]): Fixed {
    let asked = name
    for (let step = 0; step < aliasesMax; step++) {
      const found = this.#rank(asked).map((place) => this.#hosts[place]!)
      if (found.length === 0) break
      const code = found.find(({ rcode }) => rcode !== undefined)
      if (code) return { rcode: code.rcode!, addresses: [], ttlS: fixedTtlS }
      const alias = found.find((host) => host.alias !== undefined)?.alias
      if (alias === undefined) {
        const addresses = found.flatMap((host) => host.addresses)
        return { rcode: 0, addresses: addressesOf(addresses, types), ttlS: fixedTtlS }
      }
      asked = alias
    }
    return { ask: asked }
  }
}
