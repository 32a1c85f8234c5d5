/** Which way each target of a client socket goes, where rules or made-up addresses may lead them apart. */
import type { Address } from '../../core/address.ts'
import type { PacketConn } from '../../core/datagrams/packet.ts'
import type { Outbound } from '../../core/dialer.ts'
import { ProxyError } from '../../core/errors.ts'
import type { Lifetime } from '../../core/lifetime.ts'
import type { Session } from '../../core/session.ts'
import { apply } from '../sniffing/recognise.ts'
import { RenamedPackets } from '../sniffing/renamed-packets.ts'
import type { DispatchDeps } from './deps.ts'
import type { Origin } from './flow.ts'
import { PerTarget } from './per-target.ts'

/** The outbound for a session that differs from that of the flow by its target; may set `routed`. Throws where there is none. */
export type Decide = (session: Session, until: Lifetime) => Promise<Outbound>

/** Undefined: one way is good for all targets. */
export function decideFor({ sniffing }: Origin, { route, fakeName, manyWays }: DispatchDeps): Decide | undefined {
  if (!manyWays?.()) return undefined
  return async (session, until) => {
    if (sniffing) apply(session, { fake: fakeName?.(session.target.host) }, sniffing)
    const outbound = await route(session, until)
    if (outbound) return outbound
    throw new ProxyError('NO_OUTBOUND', 'the configuration has no outbound')
  }
}

export async function openPackets(
  { tag, packets }: Outbound,
  session: Session,
  target: Address,
  routed: Address | undefined,
  until: Lifetime,
): Promise<PacketConn> {
  if (!packets) {
    throw new ProxyError('OUTBOUND_TCP_ONLY', `the outbound "${tag}" does not carry UDP`, {
      hint: 'lead UDP to a vmess, socks or freedom outbound',
    })
  }
  const far = await packets.open({ until, session, first: routed ?? target })
  return routed ? new RenamedPackets(far, target, routed) : far
}

/** @param far opened by `first` for the target of the session */
export function eachByItself(far: PacketConn, first: Outbound, session: Session, decide: Decide): PacketConn {
  const { target, routed } = session
  return new PerTarget(far, { outbound: first, routed }, target, {
    async wayTo(to, until) {
      const { routed: _routed, ruledBy: _ruledBy, protocol: _protocol, ...own } = session
      const asked: Session = { ...own, local: session.local ?? '', target: to }
      return { outbound: await decide(asked, until), routed: asked.routed }
    },
    // The session of the flow: by it loops are found.
    open: ({ outbound, routed: name }, to, until) => openPackets(outbound, session, to, name, until),
  })
}
