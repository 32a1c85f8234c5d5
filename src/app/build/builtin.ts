/** Every kind that a configuration can name. Adding one is a file or folder of its own and one line here. */

import type { Dialer, Layer, Outbound } from '../../core/dialer.ts'
import type { Env } from '../../core/env.ts'
import type { Resolve } from '../../core/ground.ts'
import type { Inbound } from '../../core/inbound.ts'
import type { PacketDialer } from '../../core/packet.ts'
import type { Security } from '../../protocol/vmess/body.ts'
import type { SeenAuths, SeenSessions } from '../../protocol/vmess/replay.ts'
import type { SwitchAccount } from '../../protocol/vmess/switch-account.ts'
import type { UserDirectory } from '../../protocol/vmess/users.ts'
import { createBlackhole } from '../../proxy/blackhole/outbound.ts'
import { createDokodemoInbound } from '../../proxy/dokodemo/inbound.ts'
import { createFreedom } from '../../proxy/freedom/outbound.ts'
import { createHttpInbound } from '../../proxy/http/inbound.ts'
import { createMixedInbound } from '../../proxy/mixed/inbound.ts'
import type { Associations } from '../../proxy/mux/associations.ts'
import { createSocksInbound } from '../../proxy/socks/inbound.ts'
import { createVmessInbound } from '../../proxy/vmess/inbound.ts'
import { createVmessOutbound } from '../../proxy/vmess/outbound.ts'
import type {
  InboundConfig,
  InboundStreamConfig,
  MuxSettings,
  OutboundConfig,
  PacketEncoding,
  VmessUser,
} from '../../settings/model.ts'

export interface InboundDeps {
  readonly env: Env
  /** Of the inbound. */
  readonly tag: string
  /** Shared by all VMess inbounds of an instance: a replay to another port is a replay. */
  readonly replay: SeenAuths
  readonly history: SeenSessions
  /** Shared likewise: a client may go on at another inbound. */
  readonly associations: Associations
  /** Users of a VMess inbound, who come and go. */
  readonly users?: UserDirectory<VmessUser>
  /** Of a VMess inbound with a detour: what its answers tell a user. */
  readonly detour?: ((user: VmessUser) => SwitchAccount | undefined) | undefined
}

export interface OutboundDeps {
  readonly env: Env
  /** Reaches hosts through the outbound's own transport stack. */
  readonly dialer: Dialer
  /** UDP sockets, to IP addresses. */
  readonly udp: PacketDialer
  readonly resolve: Resolve
  /** What `security: auto` means on this machine. */
  readonly auto: Security
  /** Send the legacy VMess header whatever alterId says. */
  readonly legacyHeader: boolean
  /** Xray's switch: no session of datagrams for many targets. */
  readonly coneDisabled: boolean
  readonly mux: MuxSettings | undefined
  readonly packetEncoding: PacketEncoding | undefined
}

type InboundOf<P extends InboundConfig['protocol']> = Extract<InboundConfig, { protocol: P }>['settings']
type OutboundOf<P extends OutboundConfig['protocol']> = Extract<OutboundConfig, { protocol: P }>['settings']

export const inbounds: {
  readonly [P in InboundConfig['protocol']]: (settings: InboundOf<P>, deps: InboundDeps) => Inbound
} = {
  'dokodemo-door': (settings) => createDokodemoInbound(settings),
  http: (settings, { env }) => createHttpInbound(settings, env),
  mixed: (settings, { env }) => createMixedInbound(settings, env),
  socks: (settings, { env }) => createSocksInbound(settings, env),
  vmess: ({ disableInsecureEncryption }, { users, detour, ...deps }) =>
    createVmessInbound({ ...deps, users: users!, disableInsecureEncryption, ...(detour && { detour }) }),
}

export const outbounds: {
  readonly [P in OutboundConfig['protocol']]: (tag: string, settings: OutboundOf<P>, deps: OutboundDeps) => Outbound
} = {
  blackhole: (tag, settings, { env }) => createBlackhole(tag, settings, env),
  freedom: (tag, settings, deps) => createFreedom(tag, settings, deps),
  vmess: (tag, settings, deps) => createVmessOutbound(tag, settings, deps),
}

/** Layers between TCP and TLS on one side and VMess on the other, innermost first. */
export const transports: { readonly [N in InboundStreamConfig['network']]: () => readonly Layer[] } = {
  tcp: () => [],
}
