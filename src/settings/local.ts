/** Settings of the ends that talk to no other proxy. */

import type { Address } from '../core/address.ts'
import type { DomainStrategy } from '../core/domain-strategy.ts'
import type { FragmentSettings, NoiseSettings } from './disturbing.ts'
import type { FinalRule } from './final-rules.ts'

export interface Login {
  readonly user: string
  readonly pass: string
}

export interface SocksInboundSettings {
  readonly auth: 'noauth' | 'password'
  readonly logins: readonly Login[]
  readonly udp: boolean
  /** IP address that UDP clients are told to send to; where they have connected to unless given. */
  readonly ip?: string
  readonly level: number
  /** How long a flow may be idle, ms, instead of what the policy says. */
  readonly idleMs?: number
}

export interface HttpInboundSettings {
  readonly logins: readonly Login[]
  readonly allowTransparent: boolean
  readonly level: number
}

export interface DokodemoInboundSettings {
  /** Host and port to reach; port 0 means the port the client came in on. */
  readonly target: Address
  readonly networks: readonly ('tcp' | 'udp')[]
  readonly level: number
  /** How long a flow may be idle, ms, instead of what the policy says. */
  readonly idleMs?: number
}

export interface FreedomSettings {
  readonly domainStrategy: DomainStrategy
  /** Replaces the non-empty parts of every destination: `host` '' or `port` 0 leaves that part alone. */
  readonly redirect?: Address
  /** Version of the PROXY protocol header in front of every stream; absent: none. */
  readonly proxyProtocol?: 1 | 2
  /** Absent: what is written goes out as it is. */
  readonly fragment?: FragmentSettings
  /** Before the first datagram of a session, in this order; absent: none. */
  readonly noises?: readonly NoiseSettings[]
  /** From the first on; absent: it dials every address. */
  readonly finalRules?: readonly FinalRule[]
  readonly level: number
}

export interface LoopbackSettings {
  /** What rules see as the tag of the inbound. */
  readonly inboundTag: string
}

export interface BlackholeSettings {
  readonly response: 'none' | 'http'
}
