import type { Address } from '../../core/address.ts'
import type { Outbound } from '../../core/dialer.ts'
import type { Lifetime } from '../../core/lifetime.ts'
import type { Session } from '../../core/session.ts'
import type { DnsOutboundSettings } from '../../settings/dns.ts'
import { Answers, type AnswersDeps } from './answers.ts'
import { AnsweringConn } from './conn.ts'
import { type ForwardDeps, forward } from './forward.ts'
import { AnsweringPackets } from './packets.ts'

/**
 * Answers questions for addresses from the configuration's DNS, wherever they were sent to, and does with others what its
 * rules say. Questions of that DNS itself are passed on: they would come back here.
 */
export function createDnsOutbound(
  tag: string,
  settings: DnsOutboundSettings,
  deps: AnswersDeps & Omit<ForwardDeps, 'clock'>,
): Outbound {
  const answers = new Answers(settings, deps)
  const ways = { ...deps, clock: deps.env.clock }

  const said =
    (network: 'tcp' | 'udp', session: Session | undefined) =>
    async (message: Uint8Array, to: Address, until: Lifetime) => {
      const own = session?.source === ''
      const answer = own ? 'direct' : await answers.to(message, until)
      if (answer !== 'direct') return answer
      const { host, port } = settings.to
      const target = { host: host || to.host, port: port || to.port }
      return forward(message, target, settings.network || network, ways, session, until)
    }

  return {
    tag,
    level: settings.level,
    async dial(to, { session, until }) {
      if (until.gone) throw until.gone
      const reply = said('tcp', session)
      return new AnsweringConn((message, life) => reply(message, to, life))
    },
    packets: {
      async open({ session, until }) {
        if (until.gone) throw until.gone
        return new AnsweringPackets(said('udp', session))
      },
    },
    async close() {},
  }
}
