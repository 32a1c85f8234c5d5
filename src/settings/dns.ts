/** `dns` of a configuration, and the pools of fake addresses. */

import type { Address } from '../core/address.ts'
import type { DomainRule, IpRule } from './routing.ts'

/** Kinds of addresses that are asked for; `system`: those that this machine can reach. */
export type AddressFamilies = 'both' | 'ipv4' | 'ipv6' | 'system'

/** What holds for all servers, unless one says otherwise. */
export interface DnsTerms {
  readonly families: AddressFamilies
  /** Network that is named to servers, as an address in it; `''`: none. */
  readonly clientIp: string
  readonly disableCache: boolean
  /** Answer with what has expired, and ask behind it. */
  readonly serveStale: boolean
  /** How long after its end an entry may be served, s; 0: for ever. */
  readonly serveExpiredTtlS: number
  /** Inbound tag of its queries, for rules; `''`: none. */
  readonly tag: string
}

export interface DnsServerConfig extends DnsTerms {
  readonly kind: 'udp' | 'tcp' | 'https' | 'h2c' | 'localhost' | 'fakedns'
  /** As written, for messages. */
  readonly label: string
  /** Of `https` and `h2c` that of the URL; unused by `localhost` and `fakedns`. */
  readonly address: Address
  /** Path and query of a URL. */
  readonly path: string
  /** Its queries do not pass the router. */
  readonly local: boolean
  /** Names for which it comes first. */
  readonly domains: readonly DomainRule[]
  /** Addresses to keep; absent: all. */
  readonly expected?: AddressWish
  /** Addresses to drop. */
  readonly unexpected?: AddressWish
  /** Only for its own names. */
  readonly skipFallback: boolean
  /** Nobody is asked after it. */
  readonly finalQuery: boolean
  readonly timeoutMs: number
}

/** Addresses that are wanted, or not. */
export interface AddressWish {
  readonly rules: readonly IpRule[]
  /** It is a preference: where nothing is left, all are. */
  readonly mild: boolean
}

/** A fixed answer. */
export interface DnsHost {
  readonly rule: DomainRule
  readonly addresses: readonly string[]
  /** Asked in its place; beats addresses. */
  readonly alias?: string
  /** Answered as it is. */
  readonly rcode?: number
}

export interface DnsConfig extends DnsTerms {
  /** At least one. */
  readonly servers: readonly DnsServerConfig[]
  readonly hosts: readonly DnsHost[]
  readonly disableFallback: boolean
  readonly disableFallbackIfMatch: boolean
  readonly useSystemHosts: boolean
  readonly parallel: boolean
}

/** Fake addresses of one network. */
export interface FakePoolConfig {
  /** First address of the network, as text. */
  readonly base: string
  /** Bits of the network. */
  readonly prefix: number
  /** How many names are remembered; fewer than the network has addresses. */
  readonly size: number
}

/** What the dns outbound does with a question. */
export interface DnsRule {
  /** `direct`: pass it on; `drop`: silence; `return`: answer with `rcode`; `hijack`: answer from the configuration's DNS. */
  readonly action: 'direct' | 'drop' | 'return' | 'hijack'
  /** Ranges of record types; none: all. */
  readonly types: readonly (readonly [number, number])[]
  /** In the language of rules, a plain word is a part of a name; none: all. */
  readonly domains: readonly string[]
  readonly rcode: number
}

export interface DnsOutboundSettings {
  /** Where questions are passed on to, instead of where the client sent them: host `''` or port 0 is that of the client. */
  readonly to: Address
  /** `''`: as they came. */
  readonly network: '' | 'tcp' | 'udp'
  /** The first that fits decides; A and AAAA that none fits are answered, everything else gets `others`. */
  readonly rules: readonly DnsRule[]
  /** What becomes of other types. */
  readonly others: Pick<DnsRule, 'action' | 'rcode'>
  readonly level: number
}
