/** Rules as a configuration or an API states them, read and checked; lists of data files are still names. */

import type { PortRange } from './ports.ts'

/** When a name is resolved for conditions on addresses. */
export type DomainStrategy = 'AsIs' | 'IPIfNonMatch' | 'IPOnDemand'

export interface RoutingConfig {
  readonly domainStrategy: DomainStrategy
  /** Names lose one dot at their end before they are compared. */
  readonly normalizeTrailingDot: boolean
  /** From the first on; the first whose conditions all hold wins. */
  readonly rules: readonly RoutingRule[]
  readonly balancers: readonly BalancerConfig[]
}

/** Where something stands in a file, for what shows only when data files are read. */
export interface RulePlace {
  /** Path in the configuration, such as `routing.rules[3]`; `''` where an API gave it. */
  readonly at: string
  readonly file?: string
  readonly line?: number
  readonly column?: number
}

/** All conditions that are there must hold; a condition that is there and empty never holds. */
export interface RoutingRule extends RulePlace {
  /** Its label; `''`: none. */
  readonly ruleTag: string
  /** Where flows go. With neither, flows that match are blocked. */
  readonly outboundTag?: string
  readonly balancerTag?: string
  readonly domains?: readonly DomainRule[]
  readonly ips?: readonly IpRule[]
  readonly sources?: readonly IpRule[]
  readonly locals?: readonly IpRule[]
  readonly ports?: readonly PortRange[]
  readonly sourcePorts?: readonly PortRange[]
  readonly localPorts?: readonly PortRange[]
  readonly networks?: readonly ('tcp' | 'udp')[]
  readonly users?: readonly UserRule[]
  readonly inboundTags?: readonly string[]
  /** Beginnings of what first bytes were recognised as. */
  readonly protocols?: readonly string[]
  readonly attributes?: AttributeRule
}

/** Values are in lower case and ASCII, but those of expressions. */
export type DomainRule =
  | { readonly kind: 'keyword' | 'domain' | 'full' | 'regexp'; readonly value: string }
  | {
      readonly kind: 'list'
      /** Name of the data file. */
      readonly file: string
      /** In upper case. */
      readonly code: string
      /** In lower case; an entry has all of them. */
      readonly attributes: readonly string[]
    }

export type IpRule =
  | {
      readonly kind: 'block'
      /** 4 or 16 bytes. */
      readonly bytes: Uint8Array
      /** Bits that count, 0 to 32 or 128. */
      readonly prefix: number
      readonly not: boolean
    }
  | { readonly kind: 'list'; readonly file: string; readonly code: string; readonly not: boolean }

export interface UserRule {
  readonly kind: 'full' | 'regexp'
  readonly value: string
}

/** Headers and expressions that all must be found, as in Xray; or an expression of V2Ray over what an HTTP client sent. */
export type AttributeRule =
  | { readonly kind: 'headers'; readonly headers: Readonly<Record<string, string>> }
  | { readonly kind: 'expression'; readonly text: string }

export type BalancerStrategy = 'random' | 'roundRobin' | 'leastPing' | 'leastLoad'

export interface BalancerConfig {
  readonly tag: string
  /** Beginnings of tags of outbounds. */
  readonly selector: readonly string[]
  readonly strategy: BalancerStrategy
  readonly fallbackTag?: string
  /** Of leastLoad. */
  readonly load: LoadSettings
}

export interface LoadSettings {
  /** How many are chosen among; 0: as many as lie below a baseline, or one. */
  readonly expected: number
  /** Milliseconds, ascending. */
  readonly baselinesMs: readonly number[]
  /** Milliseconds; 0: no bound. */
  readonly maxRttMs: number
  /** Share of failed probes that is borne with, 0 to 1. */
  readonly tolerance: number
  readonly costs: readonly { readonly match: string; readonly regexp: boolean; readonly value: number }[]
}

/** Probes of outbounds, one after the other. */
export interface ObservatoryConfig {
  /** Beginnings of tags of outbounds. */
  readonly selector: readonly string[]
  readonly url: string
  readonly intervalMs: number
  /** All at once, and then a pause; otherwise a pause after each. */
  readonly concurrent: boolean
}

/** Several probes of each outbound at random moments of a period. */
export interface BurstConfig {
  readonly selector: readonly string[]
  readonly url: string
  /** Asked directly when a probe fails: when it fails too, nothing is counted. `''`: nothing is asked. */
  readonly connectivity: string
  readonly intervalMs: number
  readonly sampling: number
  readonly timeoutMs: number
  readonly method: string
}
