import type { Resolve } from './ground.ts'
import type { Lifetime } from './lifetime.ts'

/** A type of address record. */
export type RecordType = 'A' | 'AAAA'

/** What is known of a name, from whoever knew it. */
export interface NameAnswer {
  /** As in DNS messages: 0 in order, 2 the server failed, 3 there is no such name, 5 refused. */
  readonly rcode: number
  /** IP addresses as text, in the order of the answer. */
  readonly addresses: readonly string[]
  /** Seconds for which it still holds, 1 or more. */
  readonly ttlS: number
}

/** The names as a configuration has them: its fixed answers and its servers. */
export interface NameService {
  /**
   * Rejects with DNS_FAILED when nobody has answered, or with why `until` is over. An answer without addresses is one.
   * @param fake whether addresses that are made up may be among them: they mean something to this program only
   */
  lookup(name: string, types: readonly RecordType[], until: Lifetime, fake?: boolean): Promise<NameAnswer>
}

/** For those who ask with a family, as the system's resolver is asked. */
export const resolveWith =
  (names: NameService): Resolve =>
  async (host, family, until) => {
    const types: readonly RecordType[] = family === 0 ? ['A', 'AAAA'] : [family === 4 ? 'A' : 'AAAA']
    return (await names.lookup(host, types, until)).addresses
  }
