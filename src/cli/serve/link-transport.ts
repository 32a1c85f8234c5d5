import type { LinkTransport } from '../../config/link/model.ts'
import type { DisguiseConfig } from '../../settings/disguise.ts'
import type { GrpcConfig, H2Config } from '../../settings/http2.ts'
import type { KcpConfig } from '../../settings/kcp.ts'
import type { InboundConfig } from '../../settings/model.ts'
import type { UpgradeConfig, WebSocketConfig } from '../../settings/upgrade.ts'
import type { XhttpConfig } from '../../settings/xhttp.ts'
import { CliError, exitCodes } from '../process/exit.ts'
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
    case 'kcp':
      return kcpLink(transport as KcpConfig, at)
    case 'xhttp':
      return xhttpLink(transport as XhttpConfig)
    default:
      throw noLink(network, at)
  }
}

const noLink = (what: string, at: string): CliError =>
  new CliError(
    exitCodes.config,
    `${at}.streamSettings: no link can be written for ${what}; write it by hand, and run the file with "run"`,
  )

/** Links know V2Ray's seal, with a seed or without, and one header around it. */
function kcpLink({ masks }: KcpConfig, at: string): LinkTransport {
  const [seal, header, ...more] = masks
  const sealed = seal?.type === 'plain' || seal?.type === 'gcm'
  if (!sealed || more.length > 0 || header?.type === 'dns') throw noLink('kcp with these masks', at)
  return { network: 'kcp', headerType: header?.type ?? 'none', seed: seal.type === 'gcm' ? seal.seed : '' }
}

/** A server takes all of its paths, and any Host. */
const disguise = ({ request: { paths, headers } }: DisguiseConfig) => ({
  host: headers.find(({ name }) => name.toLowerCase() === 'host')?.values ?? [],
  path: paths,
})
