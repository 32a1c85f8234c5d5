/**
 * `vmess://` + base64 of `CIPHER:UUID@HOST:PORT`, settings in the query: Shadowrocket (`obfs=…`) and V2RayU
 * (`network=…`). The two use different keys, so one reader understands both, in any letter case.
 */
import { buildLink, plainNames } from './build.ts'
import type { ShareLink } from './model.ts'
import { type LinkUrl, Params } from './query.ts'
import { readAddress, readFlag } from './text.ts'
import { readTls, readTlsSwitch } from './tls.ts'
import { readTransport } from './transport.ts'
import { splitAuthority } from './url.ts'

const shape = /^[\w-]*:[^@]/

export const isCipherForm = (decoded: string): boolean => shape.test(decoded) && decoded.includes('@')

export function readCipherForm(decoded: string, url: LinkUrl): ShareLink {
  const params = Params.fromQuery(url.query, { anyCase: true })
  const { user, host, port } = splitAuthority(decoded)
  const colon = user.indexOf(':')
  const address = readAddress(host, plainNames.address)
  const obfs = params.take('obfs').toLowerCase()
  const network = params.take('network') || obfsNetworks[obfs] || obfs
  const transportHost = params.take('wsHost', 'h2Host', 'host') || obfsHost(params.take('obfsParam'))
  const path = params.take('wsPath', 'h2Path', 'path')
  const tlsWords = {
    address,
    serverName: params.take('peer', 'tlsServer', 'sni'),
    alpn: params.take('alpn'),
    allowInsecure: params.take('allowInsecure'),
    fingerprint: params.take('fp'),
  }
  return buildLink({
    name: params.take('remarks', 'remark') || url.fragment,
    address,
    port,
    id: user.slice(colon + 1),
    alterId: params.take('alterId', 'aid'),
    security: user.slice(0, colon),
    mux: readFlag(params.take('mux'), 'mux'),
    transport: readTransport({
      part: 'the transport (network or obfs)',
      network,
      headerType: obfs === 'http' ? 'http' : params.take('kcpHeader'),
      host: transportHost,
      path,
      serviceName: path,
      authority: transportHost,
      uplinkCapacity: params.take('uplinkCapacity'),
      downlinkCapacity: params.take('downlinkCapacity'),
    }),
    tls: readTlsSwitch(params.take('tls'), 'tls') ? readTls(tlsWords) : undefined,
    unknown: params.rest(),
  })
}

/** Shadowrocket's `http` is the HTTP header over TCP; its HTTP/2 is called `h2`. */
const obfsNetworks: Readonly<Record<string, string>> = { none: 'tcp', http: 'tcp', websocket: 'ws' }

/** The bare host, or `{"Host":"…"}`. */
function obfsHost(param: string): string {
  if (!param.startsWith('{')) return param
  const host = /"host"\s*:\s*"([^"]*)"/i.exec(param)
  return host?.[1] ?? ''
}
