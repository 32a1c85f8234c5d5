import type { Listener } from '../../core/dialer.ts'
import { type ProxyProtocolDeps, proxyProtocolLayer } from './layer.ts'

/** Hands connections on once their PROXY protocol header has said who the client is. */
export const proxiedListener = (base: Listener, deps: ProxyProtocolDeps): Listener => ({
  async listen(at, accept, options) {
    const passage = proxyProtocolLayer(deps).server(accept)
    const listening = await base.listen(at, (carrier) => passage.receive(carrier), options)
    return {
      ...listening,
      close() {
        passage.close()
        return listening.close()
      },
    }
  },
})
