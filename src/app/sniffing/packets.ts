import type { PacketConn } from '../../core/datagrams/packet.ts'
import { peekPackets } from '../../core/datagrams/peek-packets.ts'
import type { Clock } from '../../core/env.ts'
import type { Session } from '../../core/session.ts'
import type { Verdict } from '../../protocol/sniff/model.ts'
import { QuicSniffer } from '../../protocol/sniff/quic.ts'
import type { SniffingConfig } from '../../settings/sniffing.ts'
import { recognise, sniffMs } from './apply.ts'

/** Looks at the client's first datagrams to its first target; gives a PacketConn that begins with them. */
export async function sniffPackets(
  near: PacketConn,
  session: Session,
  sniffing: SniffingConfig,
  clock: Clock,
): Promise<PacketConn> {
  const sniffer = new QuicSniffer()
  const { target } = session
  let verdict: Verdict = 'undecided'
  const conn = await peekPackets(
    near,
    (lent, { host, port }) => {
      if (host === target.host && port === target.port) verdict = sniffer.push(lent)
      return verdict !== 'undecided'
    },
    sniffMs,
    clock,
  )
  if (typeof verdict === 'object') recognise(session, verdict, sniffing)
  return conn
}
