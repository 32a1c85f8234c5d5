import { parseHost } from '../../core/address.ts'
import type { Session } from '../../core/session.ts'
import type { Sniffed } from '../../protocol/sniff/model.ts'
import type { SniffingConfig } from '../../settings/sniffing.ts'

/** The longest that first bytes are waited for, ms: as the peers do. Where the server speaks first that is what it costs. */
export const sniffMs = 200

/** Writes down what a flow was recognised as, and where it goes by that. */
export function recognise(session: Session, { protocol, domain }: Sniffed, sniffing: SniffingConfig): void {
  session.protocol = protocol
  if (domain === '' || !sniffing.override.some((word) => protocol.startsWith(word))) return
  const host = domain.startsWith('[') ? domain.slice(1, -1) : domain
  // Brackets, dots and colons alone make no address.
  if (/[[\]:]/.test(host) && parseHost(host).kind !== 'ipv6') return
  const named = { host, port: session.target.port }
  if (sniffing.routeOnly) session.ruledBy = named
  else session.routed = named
}
