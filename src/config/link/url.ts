/** `vmess://UUID@HOST:PORT?query#NAME`: the URL form of Xray's graphical clients. It has no alterId: AEAD only. */
import { buildLink, plainNames } from './build.ts'
import type { ShareLink } from './model.ts'
import { partNames, takeSecurity, takeTls } from './names.ts'
import { type LinkUrl, Params } from './query.ts'
import { linkError, percentDecode, readAddress, splitHostPort } from './text.ts'
import { readTls, readTlsSwitch } from './tls.ts'
import { readNetwork, readTransport } from './transport.ts'

export function readUrlForm(url: LinkUrl): ShareLink {
  const { user, host, port } = splitAuthority(url.body)
  if (user.includes(':')) {
    throw linkError('the part before @', 'has a colon', 'write the user id alone (a colon of a custom id as %3A)')
  }
  const params = Params.fromQuery(url.query)
  const address = readAddress(host, plainNames.address)
  if (params.take('pbk') !== '') readTlsSwitch('reality', 'the parameter pbk')
  const security = takeSecurity(params, 'the parameter security')
  const tlsWords = takeTls(params, address)
  const path = params.take(...partNames.path)
  const network = params.take('type', ...partNames.network)
  return buildLink({
    name: url.fragment || params.take(...partNames.name),
    address,
    port,
    id: percentDecode(user),
    alterId: params.take(...partNames.alterId),
    security: security.cipher,
    experiments: params.take('experiments'),
    packetEncoding: params.take('packetEncoding'),
    transport: readTransport({
      part: 'the parameter type',
      network,
      headerType: params.take(...partNames.headerType),
      host: params.take(...partNames.host),
      path,
      seed: params.take('seed'),
      quicSecurity: params.take('quicSecurity'),
      key: params.take('key'),
      serviceName: params.take(...partNames.serviceName) || path,
      mode: params.take('mode'),
      extra: readNetwork(network) === 'xhttp' ? params.take('extra') : '',
      authority: params.take('authority'),
      ed: params.take('ed'),
      eh: params.take('eh'),
    }),
    tls: security.tls ? readTls(tlsWords) : undefined,
    unknown: params.rest(),
  })
}

/** `user@host:port` with what may follow a slash cut off. The last @ counts: a custom id may hold one. */
export function splitAuthority(body: string): { user: string; host: string; port: string; path: string } {
  const at = body.lastIndexOf('@')
  const rest = body.slice(at + 1)
  const slash = rest.indexOf('/')
  const authority = slash < 0 ? rest : rest.slice(0, slash)
  return {
    user: body.slice(0, Math.max(at, 0)),
    ...splitHostPort(authority),
    path: slash < 0 ? '' : rest.slice(slash),
  }
}
