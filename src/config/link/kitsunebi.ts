/** `vmess1://UUID@HOST:PORT/PATH?network=ws&tls=true&ws.host=H#NAME`: Kitsunebi. alterId 0, cipher auto. */
import { buildLink, plainNames } from './build.ts'
import type { ShareLink } from './model.ts'
import { takeTls } from './names.ts'
import { type LinkUrl, Params } from './query.ts'
import { percentDecode, readAddress, readFlag } from './text.ts'
import { readTls, readTlsSwitch } from './tls.ts'
import { readTransport } from './transport.ts'
import { splitAuthority } from './url.ts'

export function readKitsunebi(url: LinkUrl): ShareLink {
  const { user, host, port, path } = splitAuthority(url.body)
  const params = Params.fromQuery(url.query, { anyCase: true })
  const address = readAddress(host, plainNames.address)
  const tlsWords = takeTls(params, address)
  return buildLink({
    name: url.fragment,
    address,
    port,
    id: percentDecode(user),
    mux: readFlag(params.takeSwitch('mux'), 'mux'),
    transport: readTransport({
      part: 'network',
      network: params.take('network'),
      headerType: params.take('header', 'kcp.header', 'quic.header'),
      host: params.take('ws.host', 'http.host'),
      path: percentDecode(path),
      seed: params.take('kcp.seed'),
      uplinkCapacity: params.take('kcp.uplinkcapacity'),
      downlinkCapacity: params.take('kcp.downlinkcapacity'),
      quicSecurity: params.take('quic.security'),
      key: params.take('quic.key'),
    }),
    tls: readTlsSwitch(params.takeSwitch('tls'), 'tls') ? readTls(tlsWords) : undefined,
    unknown: params.rest(),
  })
}
