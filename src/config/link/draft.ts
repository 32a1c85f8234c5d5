/** `vmess://NET[+tls]:UUID-ALTERID@HOST:PORT/?query#NAME`: the draft of the v2fly project, with any transport. */
import { buildLink, plainNames } from './build.ts'
import type { ShareLink } from './model.ts'
import { partNames, takeTls } from './names.ts'
import { type LinkUrl, Params } from './query.ts'
import { percentDecode, readAddress } from './text.ts'
import { readTls } from './tls.ts'
import { isNetwork, readTransport } from './transport.ts'
import { splitAuthority } from './url.ts'

const user = /^([a-z\d]+)(\+tls)?:(.+)-(\d+)$/i

export const isDraft = (url: LinkUrl): boolean =>
  isNetwork(user.exec(percentDecode(splitAuthority(url.body).user))?.[1] ?? '')

export function readDraft(url: LinkUrl): ShareLink {
  const authority = splitAuthority(url.body)
  const [, network = '', tls, id = '', alterId = ''] = user.exec(percentDecode(authority.user)) ?? []
  const params = Params.fromQuery(url.query)
  const address = readAddress(authority.host, plainNames.address)
  const type = params.take('type')
  const tlsWords = {
    ...takeTls(params, address),
    // The draft takes every word for "true" that is not one of these.
    allowInsecure: /^(false|no|off|0)?$/i.test(params.take('allowInsecure')) ? '0' : '1',
  }
  return buildLink({
    name: url.fragment,
    address,
    port: authority.port,
    id,
    alterId,
    transport: readTransport({
      part: 'the transport before the id',
      network,
      headerType: type,
      host: params.take(...partNames.host).replaceAll('|', ','),
      path: params.take(...partNames.path),
      serviceName: params.take(...partNames.serviceName, ...partNames.path),
      mode: params.take('mode'),
      authority: params.take('authority'),
      seed: params.take('seed'),
      quicSecurity: params.take('security'),
      key: params.take('key'),
    }),
    tls: tls ? readTls(tlsWords) : undefined,
    unknown: params.rest(),
  })
}
