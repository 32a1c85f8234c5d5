import type { Duplex } from 'node:stream'
import type { Outbound } from '../../core/dialer.ts'
import { ProxyError } from '../../core/errors.ts'
import { memoryPair } from '../../net/memory/memory.ts'
import { toDuplex } from '../../net/streams/duplex.ts'

/** The outbound that an API has in V2Ray's configuration: what is led to it is served inside the process. */
export function apiOutbound(tag: string, accept: (stream: Duplex) => void): Outbound {
  let closed = false
  return {
    tag,
    async dial(_to, { until }) {
      if (until.gone) throw until.gone
      if (closed) throw new ProxyError('SHUTTING_DOWN', 'the API is closed')
      const [near, far] = memoryPair()
      accept(toDuplex(far))
      return near
    },
    async close() {
      closed = true
    },
  }
}
