import { sniffBitTorrent } from './bittorrent.ts'
import { sniffHttp1 } from './http1.ts'
import type { Verdict } from './model.ts'
import { sniffTls } from './tls.ts'

/** How many pieces a client may have sent whose half a line counts: what comes in more pieces is most likely still coming. */
const piecesMax = 2

/** What the first bytes of a stream are. */
export class StreamSniffer {
  #pieces = 0

  /** @param seen all that came so far, one piece more than before */
  look(seen: Uint8Array): Verdict {
    this.#pieces++
    return sniff(seen, false)
  }

  /** Nothing more will come, or nobody waits any longer. */
  end(seen: Uint8Array): Verdict {
    return sniff(seen, this.#pieces <= piecesMax)
  }
}

function sniff(seen: Uint8Array, final: boolean): Verdict {
  if (seen.length === 0) return 'undecided'
  let verdict: Verdict = 'no'
  for (const opinionOn of [sniffHttp1, sniffTls, sniffBitTorrent]) {
    const opinion = opinionOn(seen, final)
    if (typeof opinion === 'object') return opinion
    if (opinion === 'undecided') verdict = opinion
  }
  return verdict
}
