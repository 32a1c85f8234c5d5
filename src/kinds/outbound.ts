import type { z } from 'zod'
import type { PacketDialer } from '../core/datagrams/packet.ts'
import type { Dialer, Outbound } from '../core/dialer.ts'
import type { Env } from '../core/env.ts'
import type { Resolve } from '../core/ground.ts'
import type { NameService } from '../core/name-service.ts'
import type { MessageForm } from '../messages/form.ts'
import type { Security } from '../protocol/vmess/body/body.ts'
import type { OutboundForm } from '../schema/kind.ts'
import type { FinalRule } from '../settings/final-rules.ts'
import type { MuxSettings, PacketEncoding } from '../settings/model.ts'

/** What an outbound may be made with. */
export interface OutboundDeps {
  readonly env: Env
  /** Reaches hosts through the outbound's own transport stack. */
  readonly dialer: Dialer
  /** Opens what datagrams leave by: UDP sockets, or what another outbound has instead. */
  readonly udp: PacketDialer
  readonly resolve: Resolve
  /** Names as the configuration has them. */
  readonly names: NameService
  /** Whether a name, in lower case, is meant by rules. @throws ConfigError for a list that is not there */
  readonly matchNames: (rules: readonly string[]) => (name: string) => boolean
  /** What `security: auto` means on this machine. */
  readonly auto: Security
  /** Send the legacy VMess header whatever alterId says. */
  readonly legacyHeader: boolean
  /** Xray's switch: no session of datagrams for many targets. */
  readonly coneDisabled: boolean
  readonly mux: MuxSettings | undefined
  readonly packetEncoding: PacketEncoding | undefined
}

/** Everything about a way to reach targets. */
export interface OutboundKind<S extends z.ZodType = z.ZodType, K extends string = string, T = unknown>
  extends OutboundForm<S, K, T> {
  /** How the gRPC API says it; absent: it cannot be added there. */
  readonly message?: MessageForm
  /** The application protocols that it can be carried behind, where the transport takes any. Absent: any. */
  readonly alpn?: readonly string[]
  /** Rules on the addresses that it really dials. Whoever builds it applies them; absent or none: it may go anywhere. */
  finalRules?(settings: T): readonly FinalRule[] | undefined
  create(tag: string, settings: T, deps: OutboundDeps): Outbound
}

export const defineOutbound = <S extends z.ZodType, const K extends string, T>(
  kind: OutboundKind<S, K, T>,
): OutboundKind<S, K, T> => kind
