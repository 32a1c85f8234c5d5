import type { Conn } from '../../core/conn.ts'
import type { Clock } from '../../core/env.ts'
import { limits } from '../../core/limits.ts'
import type { Session } from '../../core/session.ts'
import { peek } from '../../core/streams/peek.ts'
import type { Verdict } from '../../protocol/sniff/model.ts'
import { StreamSniffer } from '../../protocol/sniff/stream.ts'
import { type Looked, sniffMs } from './recognise.ts'

/** Looks at the client's first bytes; `from` begins with them. */
export async function sniffStream(near: Conn, _session: Session, clock: Clock): Promise<Looked<Conn>> {
  const sniffer = new StreamSniffer()
  let verdict: Verdict = 'undecided'
  let last: Uint8Array = new Uint8Array(0)
  const enough = (seen: Uint8Array): boolean => {
    if (seen.length === 0) return false
    last = seen
    verdict = sniffer.look(seen)
    return verdict !== 'undecided' || seen.length > limits.sniffedMax
  }
  const conn = await peek(near, enough, sniffMs, clock)
  if (verdict === 'undecided') verdict = sniffer.end(last)
  return { from: conn, ...(typeof verdict === 'object' && { sniffed: verdict }) }
}
