/** What is different for the two kinds of flows: how the far end is opened, and how the two are joined. */

import type { Conn } from '../../core/conn.ts'
import type { PacketConn } from '../../core/datagrams/packet.ts'
import type { Outbound } from '../../core/dialer.ts'
import type { Clock } from '../../core/env.ts'
import type { Ended } from '../../core/inbound.ts'
import type { Lifetime } from '../../core/lifetime.ts'
import type { Session } from '../../core/session.ts'
import type { Meters } from '../../core/streams/meter.ts'
import { relay } from '../../relay/relay.ts'
import { relayPackets } from '../../relay/relay-packets.ts'
import { sniffPackets } from '../sniffing/packets.ts'
import type { Looked } from '../sniffing/recognise.ts'
import { sniffStream } from '../sniffing/streams.ts'
import { type Decide, eachByItself, openPackets } from './each-target.ts'
import type { End } from './flow.ts'
import type { FlowTerms } from './policy.ts'

export interface Way<E extends End> {
  /** Waits for first bytes to learn what the flow is. */
  sniff(near: E, session: Session, clock: Clock): Promise<Looked<E>>
  /** Rejects with a ProxyError. @param decide of datagrams: what leads further targets; absent: all go the same way */
  open(outbound: Outbound, session: Session, until: Lifetime, decide?: Decide): Promise<E>
  /** Carries until both have ended, and destroys both. As relay(). */
  join(near: E, far: E, how: Joining): Promise<Ended>
}

export interface Joining {
  readonly session: Session
  readonly terms: FlowTerms
  readonly meters: Meters
  readonly clock: Clock
}

export const streams: Way<Conn> = {
  sniff: (near, session, clock) => sniffStream(near, session, clock),
  open: (outbound, session, until) => outbound.dial(session.routed ?? session.target, { until, session }),
  join(near, far, { terms, clock, meters }) {
    near.holdAtMost(terms.heldAtMost)
    far.holdAtMost(terms.heldAtMost)
    return relay(near, far, terms, clock, meters)
  },
}

export const datagrams: Way<PacketConn> = {
  sniff: (near, session, clock) => sniffPackets(near, session, clock),
  async open(outbound, session, until, decide) {
    const { target, routed } = session
    const far = await openPackets(outbound, session, target, routed, until)
    return decide ? eachByItself(far, outbound, session, decide) : far
  },
  join: (near, far, { session, terms, clock, meters }) =>
    relayPackets(near, far, terms, clock, meters, session.drops ?? { uplink: 0, downlink: 0 }),
}
