import { parseHost } from '../../core/address.ts'
import type { Env } from '../../core/env.ts'
import type { Lifetime } from '../../core/lifetime.ts'
import type { NameService } from '../../core/name-service.ts'
import { type Asked, readQuery, typeA, typeAAAA, writeAnswer } from '../../protocol/dns/message.ts'
import type { DnsOutboundSettings, DnsRule } from '../../settings/dns.ts'

/** Whether a name is among these rules. */
export type MatchNames = (rules: readonly string[]) => (name: string) => boolean

export interface AnswersDeps {
  readonly names: NameService
  readonly match: MatchNames
  readonly env: Env
}

interface Compiled extends DnsRule {
  readonly meets: (asked: Asked) => boolean
}

/** What the outbound says to questions. */
export class Answers {
  readonly #deps: AnswersDeps
  readonly #rules: readonly Compiled[]
  readonly #others: DnsOutboundSettings['others']

  constructor({ rules, others }: DnsOutboundSettings, deps: AnswersDeps) {
    this.#deps = deps
    this.#others = others
    this.#rules = rules.map((rule) => ({ ...rule, meets: meeting(rule, deps.match) }))
  }

  /** `'direct'`: it is to be passed on; undefined: silence. Never rejects. */
  async to(message: Uint8Array, until: Lifetime): Promise<Uint8Array | 'direct' | undefined> {
    const asked = readQuery(message)
    // What is no question to us may be one to whom it is for.
    if (!asked) return 'direct'
    const { action, rcode } = this.#rules.find((rule) => rule.meets(asked)) ?? this.#usual(asked)
    switch (action) {
      case 'direct':
        return 'direct'
      case 'drop':
        return undefined
      case 'return':
        return writeAnswer(asked, { rcode, addresses: [], ttlS: 0 })
      case 'hijack':
        return this.#looked(asked, until)
    }
  }

  #usual({ type }: Asked): Pick<DnsRule, 'action' | 'rcode'> {
    return isAddress(type) ? { action: 'hijack', rcode: 0 } : this.#others
  }

  async #looked(asked: Asked, until: Lifetime): Promise<Uint8Array | undefined> {
    const { names, env } = this.#deps
    try {
      const found = await names.lookup(asked.name, [asked.type === typeA ? 'A' : 'AAAA'], until, true)
      const wanted = asked.type === typeA ? 'ipv4' : 'ipv6'
      const addresses = found.addresses.flatMap((address) => {
        const host = parseHost(address)
        return host.kind === wanted ? [host.bytes] : []
      })
      return writeAnswer(asked, { ...found, addresses })
    } catch (error) {
      // As the peers: a question that nobody answers stays without one.
      env.log.debug({ name: asked.name }, error instanceof Error ? error.message : String(error))
      return undefined
    }
  }
}

const isAddress = (type: number): boolean => type === typeA || type === typeAAAA

function meeting({ action, types, domains }: DnsRule, match: MatchNames): (asked: Asked) => boolean {
  const named = domains.length > 0 ? match(domains) : () => true
  return ({ type, name }) =>
    (action !== 'hijack' || isAddress(type)) &&
    (types.length === 0 || types.some(([from, to]) => type >= from && type <= to)) &&
    named(name.toLowerCase())
}
