import type { Address } from '../../core/address.ts'
import type { FlowRequest, FlowUser, Session, Totals } from '../../core/session.ts'
import type { End } from './flow.ts'

const nobody: FlowUser = { email: '', level: 0 }

/** The record of a flow. Every one has the same fields in the same order, known or not, so that V8 handles all alike. */
export class FlowSession implements Session {
  readonly id: number
  readonly inboundTag: string
  readonly source: string
  readonly network: 'tcp' | 'udp'
  readonly target: Address
  readonly user: FlowUser
  readonly startedAt: number
  readonly attributes?: Readonly<Record<string, string>>
  readonly drops?: Readonly<Totals>
  routed?: Address
  ruledBy?: Address
  protocol?: string
  seenAttributes?: Readonly<Record<string, string>>
  passed?: readonly string[]
  outboundTag?: string
  rule?: string
  encoding?: string
  through?: readonly string[] | undefined
  /** Knows where the client connected to: it has to ask the kernel, and only rules want to know. */
  readonly #near: End['info']

  constructor(id: number, startedAt: number, inboundTag: string, near: End, request: FlowRequest) {
    const { network, target, user = nobody, attributes } = request
    this.id = id
    this.inboundTag = inboundTag
    this.source = near.info.remote
    this.network = network
    this.target = target
    this.user = { email: user.email, level: user.level }
    this.startedAt = startedAt
    this.#near = near.info
    if (attributes) this.attributes = attributes
    if (network === 'udp') this.drops = { uplink: 0, downlink: 0 }
  }

  get local(): string {
    return this.#near.local
  }
}
