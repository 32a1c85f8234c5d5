import type { Clock } from '../../core/env.ts'
import { ProxyError } from '../../core/errors.ts'
import type { Lifetime } from '../../core/lifetime.ts'
import type { NameAnswer, RecordType } from '../../core/name-service.ts'
import { deadline } from '../../core/time/deadline.ts'
import type { AddressWish, DnsServerConfig } from '../../settings/dns.ts'
import { allowedTypes } from './families.ts'
import type { MatchAddress, MatchName } from './matchers.ts'
import type { NameSource } from './source.ts'

export interface ServerRules {
  /** Names for which it comes first. */
  readonly matches: MatchName
  /** Undefined: every address is good. */
  readonly expected: MatchAddress | undefined
  readonly unexpected: MatchAddress | undefined
}

/** A server as the configuration has it: what it is asked, for how long, and which of its addresses count. */
export class ConfiguredServer {
  readonly config: DnsServerConfig
  readonly matches: MatchName
  readonly #source: NameSource
  readonly #rules: ServerRules
  readonly #clock: Clock
  readonly #reachable: () => readonly RecordType[]

  constructor(
    config: DnsServerConfig,
    source: NameSource,
    rules: ServerRules,
    { clock, reachable }: { clock: Clock; reachable: () => readonly RecordType[] },
  ) {
    this.config = config
    this.matches = rules.matches
    this.#source = source
    this.#rules = rules
    this.#clock = clock
    this.#reachable = reachable
  }

  /** Undefined: it is not asked for any of these types. Rejects with DNS_FAILED when it has not answered in time. */
  async ask(name: string, types: readonly RecordType[], until: Lifetime): Promise<NameAnswer | undefined> {
    const { families, timeoutMs, label } = this.config
    const asked = allowedTypes(types, families, this.#reachable)
    if (asked.length === 0) return undefined
    const silent = () => new ProxyError('DNS_FAILED', `name server ${label}: no answer within ${timeoutMs / 1000} s`)
    const limit = deadline(this.#clock, timeoutMs, silent, until)
    try {
      const answers = await Promise.all(asked.map((type) => this.#source.ask(name, type, limit.until)))
      return this.#sifted(joined(answers))
    } finally {
      limit.done()
    }
  }

  #sifted(answer: NameAnswer): NameAnswer {
    const { expected, unexpected } = this.#rules
    let { addresses } = answer
    if (expected) addresses = kept(addresses, addresses.filter(expected), this.config.expected)
    if (unexpected)
      addresses = kept(
        addresses,
        addresses.filter((address) => !unexpected(address)),
        this.config.unexpected,
      )
    return { ...answer, addresses }
  }
}

const kept = (all: readonly string[], good: readonly string[], wish: AddressWish | undefined): readonly string[] =>
  good.length === 0 && wish?.mild ? all : good

function joined(answers: readonly NameAnswer[]): NameAnswer {
  const withAddresses = answers.filter(({ addresses }) => addresses.length > 0)
  const telling = withAddresses.length > 0 ? withAddresses : answers
  return {
    rcode: telling[0]!.rcode,
    addresses: answers.flatMap(({ addresses }) => addresses),
    ttlS: Math.min(...telling.map(({ ttlS }) => ttlS)),
  }
}
