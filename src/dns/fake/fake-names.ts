import type { Lifetime } from '../../core/lifetime.ts'
import type { NameAnswer, RecordType } from '../../core/name-service.ts'
import type { FakePoolConfig } from '../../settings/dns.ts'
import type { NameSource } from '../client/source.ts'
import { FakePool } from './pool.ts'

/** A client should not keep what means nothing after a restart, s. */
const fakeTtlS = 1

/** Made-up addresses: given to whoever asks for a name, and found again when somebody goes there. */
export class FakeNames implements NameSource {
  readonly pools: readonly FakePoolConfig[]
  readonly #pools: readonly FakePool[]

  constructor(pools: readonly FakePoolConfig[]) {
    this.pools = pools
    this.#pools = pools.map((pool) => new FakePool(pool))
  }

  async ask(name: string, type: RecordType, _until?: Lifetime): Promise<NameAnswer> {
    const pool = this.#pools.find((each) => each.type === type)
    const addresses = pool ? [pool.addressOf(name.toLowerCase())] : []
    return { rcode: 0, addresses, ttlS: fakeTtlS }
  }

  /** The name behind a fake address; `''` for one that nobody was given; undefined for a real address. */
  nameOf(address: string): string | undefined {
    const pool = this.#pools.find((each) => each.holds(address))
    return pool && (pool.nameOf(address) ?? '')
  }
}
