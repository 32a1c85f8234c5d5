import type { Address } from '../../core/address.ts'
import type { PacketDialer } from '../../core/datagrams/packet.ts'
import type { Dialer, Outbound } from '../../core/dialer.ts'
import type { Clock } from '../../core/env.ts'
import { ProxyError } from '../../core/errors.ts'
import type { Lifetime } from '../../core/lifetime.ts'
import type { Observer } from '../../core/observer.ts'
import type { Session } from '../../core/session.ts'

export interface RoutedDeps {
  readonly clock: Clock
  readonly nextId: () => number
  /** As that of the dispatch; names are not looked up for it: they would be looked up by this. */
  readonly route: (session: Session, until: Lifetime) => Outbound | undefined | Promise<Outbound | undefined>
  readonly observer: Pick<Required<Observer>, 'routed'>
}

/** What a query of the built-in DNS is to the router. */
export interface QueryTerms {
  readonly inboundTag: string
  readonly protocol: 'dns' | 'https'
}

/** Ways to name servers that rules decide. What goes there is a session without a source and without a user. */
export function routedWays(
  { inboundTag, protocol }: QueryTerms,
  { clock, nextId, route, observer }: RoutedDeps,
): { readonly tcp: Dialer; readonly udp: PacketDialer } {
  async function routed(network: 'tcp' | 'udp', target: Address, until: Lifetime) {
    const session: Session = {
      id: nextId(),
      inboundTag,
      source: '',
      startedAt: clock.now(),
      network,
      target,
      user: { email: '', level: 0 },
      protocol,
    }
    const outbound = await route(session, until)
    if (!outbound) throw new ProxyError('NO_OUTBOUND', 'the configuration has no outbound')
    session.outboundTag = outbound.tag
    observer.routed(session, outbound.tag)
    return { session, outbound }
  }

  return {
    tcp: {
      async dial(to, { until }) {
        const { session, outbound } = await routed('tcp', to, until)
        return outbound.dial(session.routed ?? to, { until, session })
      },
    },
    udp: {
      async open({ until, first }) {
        const to = first!
        const { session, outbound } = await routed('udp', to, until)
        if (!outbound.packets)
          throw new ProxyError('OUTBOUND_TCP_ONLY', `the outbound "${outbound.tag}" does not carry UDP`)
        return outbound.packets.open({ until, session, first: session.routed ?? to })
      },
    },
  }
}
