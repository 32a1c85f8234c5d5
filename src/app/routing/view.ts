import { endpointHost, endpointPort } from '../../core/address.ts'
import type { Session } from '../../core/session.ts'
import type { FlowView } from '../../routing/flow-view.ts'

/** What rules may know of a session. */
export function viewOf(session: Session): FlowView {
  const { routed, ruledBy, source, local = '' } = session
  const goesTo = routed ?? session.target
  const { host, port } = ruledBy ?? goesTo
  return {
    network: session.network,
    host,
    port,
    goesTo: ruledBy && goesTo.host,
    sourceHost: hostOf(source),
    sourcePort: portOf(source),
    localHost: hostOf(local),
    localPort: portOf(local),
    user: session.user.email,
    inboundTag: session.inboundTag,
    protocol: session.protocol ?? '',
    attributes: session.attributes,
    seenAttributes: session.seenAttributes,
  }
}

function hostOf(endpoint: string): string {
  const host = endpointHost(endpoint)
  return host.startsWith('[') ? host.slice(1, -1) : host
}

/** 0 for what has none. */
const portOf = (endpoint: string): number => endpointPort(endpoint) || 0
