import type { Member, SharedAccount } from '../../account/book.ts'
import { endpointHost } from '../../core/address.ts'
import type { Conn } from '../../core/conn.ts'
import type { PacketConn } from '../../core/datagrams/packet.ts'
import { type ProxyError, toProxyError } from '../../core/errors.ts'
import type { FlowUser, Session, Totals } from '../../core/session.ts'
import type { Meter, Meters, Pace } from '../../core/streams/meter.ts'
import type { SniffingConfig } from '../../settings/sniffing.ts'
import type { ByteCounter, FlowCounters } from '../../stats/counters.ts'

/** The inbound that a flow came in by; told apart by identity. */
export interface Origin {
  readonly tag: string
  /** Names it where it has no tag. */
  readonly at: string
  /** Whether first bytes are looked at; may change at any time. */
  readonly sniffing?: SniffingConfig | undefined
}

/** One end of a flow. */
export type End = Conn | PacketConn

/** One proxied flow from its acceptance to its end: who, where to, how much, and the means to end it. */
export class Flow implements Member {
  readonly origin: Origin
  readonly session: Session
  readonly user: FlowUser
  account: SharedAccount | undefined
  readonly near: End
  /** Towards the target, once it is connected. */
  far: End | undefined
  /** Policy level of what carries it, 0 where that has none. */
  farLevel = 0
  readonly host: string
  totals: Totals = { uplink: 0, downlink: 0 }
  /** What ended it before its time. */
  reason: ProxyError | undefined
  /** How long it may be idle, ms, where the policy does not say. */
  readonly idleMs: number | undefined

  constructor(
    origin: Origin,
    session: Session,
    { user, idleMs }: { readonly user: FlowUser; readonly idleMs?: number | undefined },
    account: SharedAccount | undefined,
    near: End,
  ) {
    this.origin = origin
    this.session = session
    this.user = user
    this.account = account
    this.near = near
    this.idleMs = idleMs
    this.host = endpointHost(session.source)
  }

  /** The outbound's end is there. @param level the outbound's, where the connection has none of its own */
  reached(far: End, level = 0): void {
    this.far = far
    this.farLevel = far.info.level ?? level
    this.noteEncoding()
  }

  /** How datagrams travel is found out with the first of them, so what was noted may be old. */
  noteEncoding(): void {
    const { near, far, session } = this
    const used = [near, far].map((end) => (end && 'encoding' in end.info ? end.info.encoding : 'udp'))
    const text = used.filter((encoding) => encoding !== 'udp' && encoding !== 'memory').join(' >> ')
    if (text) session.encoding = text
  }

  /** Counts for another account from now on; where that does not let it in, it ends. */
  moveTo(account: SharedAccount | undefined): void {
    this.account?.leave(this)
    this.account = account
    const refused = (error: unknown): void => this.end(toProxyError(error, 'SESSION_ENDED'))
    try {
      account?.admit(this)?.catch(refused)
    } catch (error) {
      refused(error)
    }
  }

  end(reason: ProxyError): void {
    this.reason ??= reason
    this.near.destroy(reason)
    this.far?.destroy(reason)
  }

  /** What its bytes pass: the flow's totals, these counters, and the limits of its user. */
  meters(counters: FlowCounters): Meters {
    return {
      uplink: new FlowMeter(this, 'uplink', counters.uplink),
      downlink: new FlowMeter(this, 'downlink', counters.downlink),
    }
  }
}

class FlowMeter implements Meter {
  readonly #flow: Flow
  readonly #direction: keyof Totals
  readonly #counters: readonly ByteCounter[]

  constructor(flow: Flow, direction: keyof Totals, counters: readonly ByteCounter[]) {
    this.#flow = flow
    this.#direction = direction
    this.#counters = counters
  }

  add(bytes: number): void {
    this.#flow.totals[this.#direction] += bytes
    for (const counter of this.#counters) counter.add(bytes)
    this.#flow.account?.spend(this.#direction, bytes)
  }

  get pace(): Pace | undefined {
    return this.#flow.account?.pace(this.#direction)
  }
}
