import type { PacketConn } from '../../core/datagrams/packet.ts'
import { peekPackets } from '../../core/datagrams/peek-packets.ts'
import type { Clock } from '../../core/env.ts'
import type { Session } from '../../core/session.ts'
import type { Verdict } from '../../protocol/sniff/model.ts'
import { QuicSniffer } from '../../protocol/sniff/quic.ts'
import { type Looked, sniffMs } from './recognise.ts'

/** Looks at the client's first datagrams to its first target; `from` begins with them. */
export async function sniffPackets(near: PacketConn, session: Session, clock: Clock): Promise<Looked<PacketConn>> {
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
  return { from: conn, ...(typeof verdict === 'object' && { sniffed: verdict }) }
}
