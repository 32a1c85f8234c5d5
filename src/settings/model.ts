/**
 * The complete, frozen result of loading a configuration: defaults applied, every value checked, nothing optional that
 * has a default. The loader (config/) produces it, the instance (app/) builds objects from it; neither knows the other.
 */

import type { Address } from '../core/address.ts'
import type { DomainStrategy } from '../core/domain-strategy.ts'
import { limits } from '../core/limits.ts'
import type { UserLimits } from '../core/user-limits.ts'
import type { DnsConfig, DnsOutboundSettings, FakePoolConfig } from './dns.ts'
import type {
  BlackholeSettings,
  DokodemoInboundSettings,
  FreedomSettings,
  HttpInboundSettings,
  LoopbackSettings,
  SocksInboundSettings,
} from './local.ts'
import type { LogConfig } from './log.ts'
import type { SharedConnections } from './mux.ts'
import type { ReverseConfig } from './reverse.ts'
import type { BurstConfig, ObservatoryConfig, RoutingConfig } from './routing.ts'
import type { AccountingConfig, ApiConfig, ControlConfig, WorkersConfig } from './services.ts'
import type { SniffingConfig } from './sniffing.ts'
import type { InboundStreamConfig, OutboundStreamConfig } from './stream.ts'
import type { HttpOutboundSettings, SocksOutboundSettings } from './upstream.ts'

export type * from './disturbing.ts'
export type * from './dns.ts'
export type * from './final-rules.ts'
export type * from './local.ts'
export type * from './log.ts'
export type * from './mux.ts'
export type * from './ports.ts'
export type * from './reverse.ts'
export type * from './routing.ts'
export type * from './services.ts'
export type * from './sniffing.ts'
export type * from './stream.ts'
export type * from './upstream.ts'

export interface Config {
  readonly log: LogConfig
  readonly inbounds: readonly InboundConfig[]
  /** The first one is the default route. */
  readonly outbounds: readonly OutboundConfig[]
  readonly policy: PolicyConfig
  /** How names are resolved for rules and for outbounds that want it; absent: as the system does. */
  readonly dns?: DnsConfig
  /** Networks of made-up addresses; none where no server gives some. */
  readonly fakePools: readonly FakePoolConfig[]
  /** Which flow takes which outbound; absent: all take the first. */
  readonly routing?: RoutingConfig
  readonly observatory?: ObservatoryConfig
  readonly burstObservatory?: BurstConfig
  readonly reverse?: ReverseConfig
  /** The gRPC services of V2Ray and Xray. */
  readonly api?: ApiConfig
  /** The HTTP API of our own. */
  readonly control?: ControlConfig
  /** Where used traffic survives a restart. */
  readonly accounting?: AccountingConfig
  /** Threads that serve clients. */
  readonly workers: WorkersConfig
}

/** Where an inbound listens: one entry per port of its range, or one unix socket. */
export interface ListenConfig {
  readonly address: Address
  /** chmod of a unix socket, e.g. 0o666. */
  readonly mode?: number
}

interface InboundBase {
  readonly tag: string
  /** Path in the configuration for messages: `inbounds[0]`. */
  readonly at: string
  /** Every address that it may listen on; with `allocate` some of them at a time. */
  readonly listen: readonly ListenConfig[]
  readonly allocate?: AllocateConfig
  readonly sniffing?: SniffingConfig
  readonly stream: InboundStreamConfig
  /** Why one thread serves it where there are workers, in words; absent: they do. */
  readonly oneThread?: string
}

/** Dynamic ports: every `refreshMinutes` another `concurrency` random ones are opened, each for two periods. */
export interface AllocateConfig {
  readonly refreshMinutes: number
  readonly concurrency: number
}

export type InboundConfig =
  | (InboundBase & { readonly protocol: 'vmess'; readonly settings: VmessInboundSettings })
  | (InboundBase & { readonly protocol: 'socks'; readonly settings: SocksInboundSettings })
  | (InboundBase & { readonly protocol: 'http'; readonly settings: HttpInboundSettings })
  | (InboundBase & { readonly protocol: 'mixed'; readonly settings: SocksInboundSettings })
  | (InboundBase & { readonly protocol: 'dokodemo-door'; readonly settings: DokodemoInboundSettings })

interface OutboundBase extends SharedConnections {
  readonly tag: string
  readonly at: string
  readonly stream: OutboundStreamConfig
  /** Its connections go through another outbound; absent: they leave from here. */
  readonly through?: ThroughConfig
  /** What they leave from; absent: what the system chooses. */
  readonly sendThrough?: SendThroughConfig
  /** How names of targets become addresses before the protocol sees them; absent: they do not. */
  readonly targetStrategy?: DomainStrategy
}

export interface ThroughConfig {
  /** Tag of the other outbound. */
  readonly tag: string
  /** The transport is dropped, TLS is kept: `proxySettings` without `transportLayer`. */
  readonly withoutTransport: boolean
}

/** An address of this machine, or a network of which every connection takes an address by chance. */
export interface SendThroughConfig {
  /** IP address; the first of the network. */
  readonly host: string
  /** How many bits belong to the network: 32 or 128 for one address. */
  readonly bits: number
}

export type OutboundConfig =
  | (OutboundBase & { readonly protocol: 'vmess'; readonly settings: VmessOutboundSettings })
  | (OutboundBase & { readonly protocol: 'freedom'; readonly settings: FreedomSettings })
  | (OutboundBase & { readonly protocol: 'blackhole'; readonly settings: BlackholeSettings })
  | (OutboundBase & { readonly protocol: 'dns'; readonly settings: DnsOutboundSettings })
  | (OutboundBase & { readonly protocol: 'loopback'; readonly settings: LoopbackSettings })
  | (OutboundBase & { readonly protocol: 'http'; readonly settings: HttpOutboundSettings })
  | (OutboundBase & { readonly protocol: 'socks'; readonly settings: SocksOutboundSettings })

/** Words of `security` as a client configures it. */
export type SecurityName = 'auto' | 'aes-128-gcm' | 'chacha20-poly1305' | 'none' | 'zero' | 'aes-128-cfb'

export interface Experiments {
  readonly authenticatedLength: boolean
  readonly noTerminationSignal: boolean
}

export interface VmessUser {
  /** 16 bytes. */
  readonly id: Uint8Array
  readonly alterId: number
  readonly level: number
  readonly email: string
  readonly experiments: Experiments
  /** Absent: none. Only users with an e-mail have some. */
  readonly limits?: UserLimits
}

export interface VmessInboundSettings {
  readonly users: readonly VmessUser[]
  /** For users that the detour creates. */
  readonly default: { readonly level: number; readonly alterId: number }
  readonly detourTo?: string
  readonly disableInsecureEncryption: boolean
}

export interface VmessServer {
  readonly address: Address
  readonly users: readonly (VmessUser & { readonly security: SecurityName })[]
}

export interface VmessOutboundSettings {
  /** At least one, each with at least one user. */
  readonly servers: readonly VmessServer[]
}

export interface PolicyConfig {
  readonly levels: ReadonlyMap<number, PolicyLevel>
  /** Of a level that is not listed. Absent: `defaultPolicy`. */
  readonly unlisted?: PolicyLevel
  readonly system: SystemPolicy
}

export interface PolicyLevel {
  /** Seconds. */
  readonly handshake: number
  /** Seconds. */
  readonly connIdle: number
  /** Seconds. */
  readonly uplinkOnly: number
  /** Seconds. */
  readonly downlinkOnly: number
  /**
   * Plaintext bytes that one connection may hold in each direction, the batch that is being passed on included; less than
   * 16368 counts as 16368, a full chunk. On top come up to 97 bytes of framing for each chunk, a chunk of up to 64 KiB that
   * a peer has begun, 64 KiB that TLS has decrypted ahead, and while a speed limit delays a batch a second copy of it.
   * Connections keep what held when they began.
   */
  readonly bufferSize: number
  readonly statsUserUplink: boolean
  readonly statsUserDownlink: boolean
  readonly statsUserOnline: boolean
}

/** Counters of tagged inbounds and outbounds, and bounds of the whole instance. */
export interface SystemPolicy {
  readonly statsInboundUplink: boolean
  readonly statsInboundDownlink: boolean
  readonly statsOutboundUplink: boolean
  readonly statsOutboundDownlink: boolean
  /** Connections of one address that are in their handshake; for one more the oldest of them goes. 0: as many as there is room for. */
  readonly handshakesPerAddress: number
}

/** Counting costs next to nothing, so it is on unless a policy says no. */
export const defaultPolicy: PolicyLevel = {
  handshake: 60,
  connIdle: 300,
  uplinkOnly: 2,
  downlinkOnly: 5,
  bufferSize: 512 * 1024,
  statsUserUplink: true,
  statsUserDownlink: true,
  statsUserOnline: true,
}

export const defaultSystemPolicy: SystemPolicy = {
  statsInboundUplink: true,
  statsInboundDownlink: true,
  statsOutboundUplink: true,
  statsOutboundDownlink: true,
  handshakesPerAddress: limits.handshakesPerAddress,
}

/** A level's limits; a level that is not configured has the defaults. */
export const policyOf = (policy: PolicyConfig, level: number): PolicyLevel =>
  policy.levels.get(level) ?? policy.unlisted ?? defaultPolicy
