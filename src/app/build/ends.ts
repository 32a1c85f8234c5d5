import type { Outbound } from '../../core/dialer.ts'
import type { Env } from '../../core/env.ts'
import type { ProxyError } from '../../core/errors.ts'
import type { NameService } from '../../core/name-service.ts'
import { ReplayMemory, SessionHistory } from '../../protocol/vmess/replay.ts'
import type { UserDirectory } from '../../protocol/vmess/users/directory.ts'
import { SearchQueue } from '../../protocol/vmess/users/search-queue.ts'
import { Associations } from '../../proxy/mux/associations.ts'
import type { FindFile } from '../../routing/geo/lists.ts'
import {
  type InboundConfig,
  type OutboundConfig,
  type PolicyConfig,
  policyOf,
  type VmessUser,
} from '../../settings/model.ts'
import type { Descriptors } from '../descriptors/descriptors.ts'
import { readSize } from '../flow/policy.ts'
import type { InboundParts } from '../inbound/running-inbound.ts'
import { SharedPorts } from '../inbound/shared/shared-ports.ts'
import type { SharedParts } from '../instance/instance-deps.ts'
import type { RunningOutbound } from '../instance/outbounds.ts'
import type { ProbeRequest } from '../routing/probe.ts'
import { prepareExcluded } from '../sniffing/excluded.ts'
import type { Detour } from '../users/detour.ts'
import { buildInbound, buildOutbound, type InboundBuild, noting, type OutboundBuild } from './build.ts'
import { probeThrough } from './probe-through.ts'

export interface EndsDeps extends Required<Pick<OutboundBuild, 'kinds' | 'read' | 'resolve' | 'watch' | 'find'>> {
  readonly env: Env
  readonly names: NameService
  readonly detour: Detour
  readonly findAsset?: FindFile | undefined
  /** The policy of this moment. */
  readonly policy: () => PolicyConfig
  /** Who may have a descriptor, and where a client really is that came by a proxy. */
  readonly descriptors: Pick<Descriptors, 'accepted' | 'admit' | 'clientIs'>
  /** What there is for all threads; absent: there is one. */
  readonly shared?: SharedParts | undefined
  /** A client was turned away before it spoke to the handler. */
  readonly refused: (at: { inboundTag: string; source: string; email: string }, error: ProxyError) => void
}

/** Builds the inbounds and outbounds of an instance, with all that they share. */
export class Ends {
  readonly #deps: EndsDeps
  readonly #readSize: () => number
  readonly #shared: SharedPorts
  readonly #memory: Pick<InboundBuild, 'replay' | 'history' | 'searches' | 'associations' | 'sockets' | 'after'>

  constructor(deps: EndsDeps) {
    this.#deps = deps
    this.#readSize = () => readSize(deps.policy())
    const { env, shared } = deps
    const { clock } = env
    this.#shared = new SharedPorts(clock)
    this.#memory = {
      replay: shared?.replay ?? new ReplayMemory(clock),
      history: shared?.history ?? new SessionHistory(clock),
      searches: new SearchQueue({ soon: (run) => void setImmediate(run), later: (run) => void clock.after(1, run) }),
      associations: new Associations(clock),
      ...(shared?.sockets && { sockets: shared.sockets }),
      ...(shared?.after && { after: shared.after }),
    }
  }

  /** @throws ConfigError for a certificate file */
  outbound(config: OutboundConfig): RunningOutbound {
    const { kinds, env, read, resolve, names, findAsset, watch, find } = this.#deps
    const files: string[] = []
    const outbound = buildOutbound(config, {
      kinds,
      env,
      names,
      findAsset,
      resolve,
      read: noting(files, read),
      readSize: this.#readSize,
      watch,
      find,
    })
    return { outbound, config, files }
  }

  /** Asks through an outbound, or without one by this machine's own sockets. */
  probe(outbound: Outbound | undefined, request: ProbeRequest): Promise<number> {
    return probeThrough(outbound, request, this.#deps)
  }

  /** @throws ConfigError for a certificate file */
  inbound(config: InboundConfig, users: UserDirectory<VmessUser> | undefined, policy: PolicyConfig): InboundParts {
    const { kinds, env, read, resolve, watch, detour, descriptors } = this.#deps
    // A listening socket keeps this for as long as it lives, and must not keep what a reload replaces.
    const { tag: inboundTag } = config
    const refused = (source: string, error: ProxyError): void =>
      this.#deps.refused({ inboundTag, source, email: '' }, error)
    prepareExcluded(config.sniffing, this.#deps)
    return buildInbound(config, {
      kinds,
      env,
      resolve,
      watch,
      ...this.#memory,
      ...(users && { users }),
      detour: detour.of(config, users),
      read,
      readSize: this.#readSize,
      handshakeTimeoutMs: Math.min(policyOf(policy, 0).handshake * 1000, 2 ** 31 - 1),
      onAccept: (conn, fd) => descriptors.accepted(conn, fd, refused),
      onFailedHandshake: refused,
      onClientAddress: (carrier, remote) => descriptors.clientIs(carrier, remote),
      onAdmitted: (carrier) => descriptors.admit(carrier),
      shared: this.#shared,
    })
  }
}
