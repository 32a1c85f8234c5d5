import type { z } from 'zod'
import type { KnownSockets } from '../core/datagrams/packet.ts'
import type { Env } from '../core/env.ts'
import type { Inbound } from '../core/inbound.ts'
import type { MessageForm } from '../messages/form.ts'
import type { SeenAuths, SeenSessions } from '../protocol/vmess/replay.ts'
import type { SwitchAccount } from '../protocol/vmess/switch-account.ts'
import type { UserDirectory } from '../protocol/vmess/users/directory.ts'
import type { SearchQueue } from '../protocol/vmess/users/search-queue.ts'
import type { InboundForm } from '../schema/kind.ts'
import type { VmessUser } from '../settings/model.ts'
import type { Opening } from './opening.ts'

/** What an inbound may be made with. */
export interface InboundDeps {
  readonly env: Env
  /** Of the inbound. */
  readonly tag: string
  /** Shared by all VMess inbounds of an instance: a replay to another port is a replay. */
  readonly replay: SeenAuths
  readonly history: SeenSessions
  /** Shared likewise: what may be searched in one turn of the event loop counts for all of them. */
  readonly searches: SearchQueue
  /** Shared likewise: a client may go on at another inbound. */
  readonly associations: KnownSockets
  /** Users of a VMess inbound, who come and go. */
  readonly users?: UserDirectory<VmessUser>
  /** Of a VMess inbound with a detour: what its answers tell a user. */
  readonly detour?: ((user: VmessUser) => SwitchAccount | undefined) | undefined
}

/** Everything about a protocol that clients speak. */
export interface InboundKind<S extends z.ZodType = z.ZodType, K extends string = string, T = unknown>
  extends InboundForm<S, K, T> {
  /** How the gRPC API says it; absent: it cannot be added there. */
  readonly message?: MessageForm
  /** The application protocols that it can be carried behind, where the transport takes any. Absent: any. */
  readonly alpn?: readonly string[]
  /** How its clients begin; absent: they may wait, or say what another protocol says too, so that it shares no port as it is. */
  readonly opening?: Opening
  create(settings: T, deps: InboundDeps): Inbound
}

export const defineInbound = <S extends z.ZodType, const K extends string, T>(
  kind: InboundKind<S, K, T>,
): InboundKind<S, K, T> => kind
