import type { LinkTransport } from '../config/link/model.ts'
import type { InboundConfig } from '../settings/model.ts'
import type { UpgradeConfig, WebSocketConfig } from '../settings/upgrade.ts'
import type { XhttpConfig } from '../settings/xhttp.ts'
import { CliError, exitCodes } from './exit.ts'
import { xhttpLink } from './xhttp-link.ts'

/** What a link says of the transport of a server. @throws CliError where there is no word for it here: a wrong link would not connect */
export function linkTransport({ at, stream: { network, transport } }: InboundConfig): LinkTransport {
  if (network === 'tcp' && transport === undefined) return { network }
  if (network === 'ws') {
    const { path, host, earlyData } = transport as WebSocketConfig
    return { network, path, host, ...(earlyData && { earlyData }) }
  }
  if (network === 'httpupgrade') {
    const { path, host } = transport as UpgradeConfig
    return { network, path, host }
  }
  if (network === 'xhttp') return xhttpLink(transport as XhttpConfig)
  const what = network === 'tcp' ? 'the http header of tcp' : network
  throw new CliError(
    exitCodes.config,
    `${at}.streamSettings: no link can be written for ${what}; write it by hand, and run the file with "run"`,
  )
}
