/**
 * `vmess://` + base64 of `CIPHER:UUID@HOST:PORT`, settings in the query: Shadowrocket (`obfs=…`) and V2RayU
 * (`network=…`). The two use different keys, so one reader understands both, in any letter case.
 */
import { buildLink, plainNames } from './build.ts'
import { fieldText, readJsonObject } from './json.ts'
import type { ShareLink } from './model.ts'
import { isCipher, partNames, takeTls } from './names.ts'
import { type LinkUrl, Params } from './query.ts'
import { readAddress, readFlag } from './text.ts'
import { readTls, readTlsSwitch } from './tls.ts'
import { readTransport } from './transport.ts'
import { splitAuthority } from './url.ts'

const shape = /^[\w-]*:[^@]/

export const isCipherForm = (decoded: string): boolean => shape.test(decoded) && decoded.includes('@')

/** Some panels leave out the base64. A custom id may hold a colon too, so that only ciphers tell. */
export const isPlainCipherForm = (body: string): boolean => isCipher(body.slice(0, Math.max(body.indexOf(':'), 0)))

export function readCipherForm(decoded: string, url: LinkUrl): ShareLink {
  const params = Params.fromQuery(url.query, { anyCase: true })
  const { user, host, port } = splitAuthority(decoded)
  const colon = user.indexOf(':')
  const address = readAddress(host, plainNames.address)
  const obfs = params.take('obfs').toLowerCase()
  const network = params.take(...partNames.network) || ownNetwork(obfs)
  const param = readObfsParam(params.take('obfsParam'), isKcp(network))
  const transportHost = params.take(...partNames.host) || param.host
  const path = params.take(...partNames.path)
  const tlsWords = takeTls(params, address)
  const xtls = params.takeSwitch('xtls')
  const tls = readTlsSwitch(params.takeSwitch('tls'), 'tls') || isSet(xtls)
  return buildLink({
    name: params.take(...partNames.name) || url.fragment,
    address,
    port,
    id: user.slice(colon + 1),
    alterId: params.take(...partNames.alterId),
    security: user.slice(0, colon),
    mux: readFlag(params.takeSwitch('mux'), 'mux'),
    transport: readTransport({
      part: 'the transport (network or obfs)',
      network,
      headerType: obfs === 'http' ? 'http' : params.take(...partNames.headerType) || param.header,
      host: transportHost,
      path,
      seed: params.take('seed') || param.seed || path,
      serviceName: params.take(...partNames.serviceName) || path,
      mode: params.take('mode'),
      authority: transportHost,
      uplinkCapacity: params.take('uplinkCapacity'),
      downlinkCapacity: params.take('downlinkCapacity'),
    }),
    tls: tls ? readTls(tlsWords) : undefined,
    // VMess has no XTLS; servers that offer it speak TLS as well. Who connects is told.
    unknown: { ...params.rest(), ...(isSet(xtls) && { xtls }), ...param.others },
  })
}

/** Shadowrocket's `http` is the HTTP header over TCP; its HTTP/2 is called `h2`. */
const ownNetwork = (obfs: string): string => (obfs === 'none' || obfs === 'http' ? 'tcp' : obfs)

const isKcp = (network: string) => /^m?kcp$/i.test(network)
/** 1 and 2 are kinds of XTLS. */
const isSet = (word: string) => word !== '' && !/^(?:0|false|none|no|off)$/i.test(word)

interface ObfsParam {
  readonly host: string
  readonly seed: string
  readonly header: string
  readonly others: Readonly<Record<string, string>>
}

/** One bare value, the host (of kcp: the seed), or an object `{"Host":"…"}`, `{"seed":"…","header":"…"}`. */
function readObfsParam(text: string, kcp: boolean): ObfsParam {
  const bare = { host: kcp ? '' : text, seed: kcp ? text : '', header: '', others: {} }
  if (!text.startsWith('{')) return bare
  const fields = new Params(
    Object.entries(readJsonObject(text, 'obfsParam')).map(([key, value]) => [key, fieldText(value)]),
    { anyCase: true },
  )
  const known = { host: fields.take('host'), seed: fields.take('seed'), header: fields.take('header') }
  const others = Object.entries(fields.rest()).map(([key, value]) => [`obfsParam.${key}`, value])
  return { ...known, others: Object.fromEntries(others) }
}
