/** What is different for the two kinds of flows: how the far end is opened, and how the two are joined. */

import type { Conn } from '../../core/conn.ts'
import type { PacketConn } from '../../core/datagrams/packet.ts'
import type { Outbound } from '../../core/dialer.ts'
import type { Clock } from '../../core/env.ts'
import { ProxyError } from '../../core/errors.ts'
import type { Ended } from '../../core/inbound.ts'
import type { Lifetime } from '../../core/lifetime.ts'
import type { Session } from '../../core/session.ts'
import type { Meters } from '../../core/streams/meter.ts'
import { relay } from '../../relay/relay.ts'
import { relayPackets } from '../../relay/relay-packets.ts'
import { sniffPackets } from '../sniffing/packets.ts'
import type { Looked } from '../sniffing/recognise.ts'
import { RenamedPackets } from '../sniffing/renamed-packets.ts'
import { sniffStream } from '../sniffing/streams.ts'
import type { End } from './flow.ts'
import type { FlowTerms } from './policy.ts'

export interface Way<E extends End> {
  /** Waits for first bytes to learn what the flow is. */
  sniff(near: E, session: Session, clock: Clock): Promise<Looked<E>>
  /** Rejects with a ProxyError. */
  open(outbound: Outbound, session: Session, until: Lifetime): Promise<E>
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
  sniff: sniffStream,
  open: (outbound, session, until) => outbound.dial(session.routed ?? session.target, { until, session }),
  join(near, far, { terms, clock, meters }) {
    near.holdAtMost(terms.heldAtMost)
    far.holdAtMost(terms.heldAtMost)
    return relay(near, far, terms, clock, meters)
  },
}

export const datagrams: Way<PacketConn> = {
  sniff: sniffPackets,
  async open({ tag, packets }, session, until) {
    const { target, routed } = session
    if (packets) {
      const far = await packets.open({ until, session, first: routed ?? target })
      return routed ? new RenamedPackets(far, target, routed) : far
    }
    throw new ProxyError('OUTBOUND_TCP_ONLY', `the outbound "${tag}" does not carry UDP`, {
      hint: 'lead UDP to a vmess, socks or freedom outbound',
    })
  },
  join: (near, far, { session, terms, clock, meters }) =>
    relayPackets(near, far, terms, clock, meters, session.drops ?? { uplink: 0, downlink: 0 }),
}
