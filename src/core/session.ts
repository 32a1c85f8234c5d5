import type { Address } from './address.ts'

/** Who a flow belongs to, as far as an inbound could tell. */
export interface FlowUser {
  /** E-mail of the user as written in the configuration; `''` when there is none. */
  readonly email: string
  /** Policy level, 0 to 4294967295. */
  readonly level: number
  /** 16 bytes that tell the users of an inbound apart. Secret; a Session does not carry it on. */
  readonly id?: Uint8Array
}

/** What an inbound asks for: carry this to there. */
export interface FlowRequest {
  readonly network: 'tcp' | 'udp'
  readonly target: Address
  readonly user?: FlowUser
  /** How long the flow may be idle, ms, whatever the policy says. */
  readonly idleMs?: number
  /** Attributes for routing: `:method`, `:path` and lower-cased headers of a plain HTTP request. */
  readonly attributes?: Readonly<Record<string, string>>
}

/** The plain record of one proxied flow, from its acceptance to its end. */
export interface Session {
  /** Counts up within the process. */
  readonly id: number
  readonly inboundTag: string
  /** Peer's address as in ConnInfo.remote. */
  readonly source: string
  readonly network: 'tcp' | 'udp'
  /** What the client asked for. */
  readonly target: Address
  /** Where the flow really goes, where that differs: a router may know the name behind an address. Set before the dial. */
  routed?: Address
  /** What rules look at in the place of both, where first bytes named it and the flow is to go on as asked. */
  ruledBy?: Address
  /** What the first bytes are: `http1`, `tls`, `quic`, `bittorrent`; absent: nobody looked, or nothing known. */
  protocol?: string
  /** Attributes of an HTTP request that was found in first bytes. */
  seenAttributes?: Readonly<Record<string, string>>
  readonly user: FlowUser
  readonly attributes?: Readonly<Record<string, string>>
  /** Where the client connected to, as in ConnInfo.local; to be asked for while the client is there. */
  readonly local?: string
  /** Milliseconds since the epoch, from the injected clock. */
  readonly startedAt: number
  /** Marks of the inbounds of this process that it came through, this one last; set before the dial. */
  passed?: readonly string[]
  /** Set when the router has chosen. */
  outboundTag?: string
  /** The rule that chose it: its label, or `#` and its number from 1. Absent: none did. */
  rule?: string
  /**
   * Of a flow of datagrams: how they travel inside of tunnels, as PacketInfo.encoding, from the client to us and from us on:
   * `xudp`, `plain >> xudp`. Absent where they travel by themselves. Set when the far end is there, and again at the end,
   * since it is found out what a server knows.
   */
  encoding?: string
  /** Tags of the outbounds that the chosen one goes through, the next one first; set with it. */
  through?: readonly string[] | undefined
  /** Of a flow of datagrams: how many a speed limit or a full connection did not let pass, each way. */
  readonly drops?: Readonly<Totals>
}

/** What was carried, in plaintext bytes; uplink is from the client towards the target. */
export interface Totals {
  uplink: number
  downlink: number
}

/** The name that first bytes or a made-up address gave, where the client asked for something else. */
export function sniffedName({ target, routed, ruledBy }: Session): string | undefined {
  const host = (ruledBy ?? routed)?.host
  return host === target.host ? undefined : host
}
