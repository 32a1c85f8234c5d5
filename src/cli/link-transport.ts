import type { LinkTransport } from '../config/link/model.ts'
import type { DisguiseConfig } from '../settings/disguise.ts'
import type { GrpcConfig, H2Config } from '../settings/http2.ts'
import type { InboundConfig } from '../settings/model.ts'
import type { UpgradeConfig, WebSocketConfig } from '../settings/upgrade.ts'
import type { XhttpConfig } from '../settings/xhttp.ts'
import { CliError, exitCodes } from './exit.ts'
import { xhttpLink } from './xhttp-link.ts'

/** What a link says of the transport of a server. @throws CliError where there is no word for it here: a wrong link would not connect */
export function linkTransport({ at, stream: { network, transport } }: InboundConfig): LinkTransport {
  switch (network) {
    case 'tcp':
      return transport === undefined ? { network } : { network, http: disguise(transport as DisguiseConfig) }
    case 'ws': {
      const { path, host, earlyData } = transport as WebSocketConfig
      return { network, path, host, ...(earlyData && { earlyData }) }
    }
    case 'httpupgrade': {
      const { path, host } = transport as UpgradeConfig
      return { network, path, host }
    }
    case 'grpc': {
      const { serviceName, multi, authority } = transport as GrpcConfig
      return { network, serviceName, mode: multi ? 'multi' : 'gun', authority }
    }
    case 'h2': {
      const { path, hosts } = transport as H2Config
      return { network, path, host: hosts }
    }
    case 'xhttp':
      return xhttpLink(transport as XhttpConfig)
    default:
      throw new CliError(
        exitCodes.config,
        `${at}.streamSettings: no link can be written for ${network}; write it by hand, and run the file with "run"`,
      )
  }
}

/** A server takes all of its paths, and any Host. */
const disguise = ({ request: { paths, headers } }: DisguiseConfig) => ({
  host: headers.find(({ name }) => name.toLowerCase() === 'host')?.values ?? [],
  path: paths,
})
