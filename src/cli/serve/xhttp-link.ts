import type { LinkSettings, LinkTransport } from '../../config/link/model.ts'
import type { XhttpConfig, XhttpPlace, XhttpRange } from '../../settings/xhttp.ts'

/** What a link says of a server with xhttp: beside path, host and mode what its clients must have too. */
export function xhttpLink({ shape, host, postBytes }: XhttpConfig): LinkTransport {
  const { base, query, mode } = shape
  const path = query === '' ? base : `${base}?${query}`
  const extra: LinkSettings = {
    ...placed('sessionID', shape.session),
    ...placed('seq', shape.seq),
    ...dataOf(shape.data),
    ...paddingOf(shape.padding),
    ...(shape.method !== 'POST' && { uplinkHTTPMethod: shape.method }),
    ...(postBytes.to !== 1_000_000 && { scMaxEachPostBytes: text(postBytes) }),
  }
  return { network: 'xhttp', path, host, mode, ...(Object.keys(extra).length > 0 && { extra }) }
}

const text = ({ from, to }: XhttpRange): string => `${from}-${to}`

const placed = (name: 'sessionID' | 'seq', { at, key }: XhttpPlace): LinkSettings =>
  at === 'path' ? {} : { [`${name}Placement`]: at, [`${name}Key`]: key }

/** A client with `auto` uses the body, which a server with `auto` takes. */
const dataOf = ({ at, key }: XhttpConfig['shape']['data']): LinkSettings =>
  at === 'header' || at === 'cookie' ? { uplinkDataPlacement: at, uplinkDataKey: key } : {}

function paddingOf({ bytes, placed, method }: XhttpConfig['shape']['padding']): LinkSettings {
  const usual = bytes.from === 100 && bytes.to === 1_000
  return {
    ...(!usual && { xPaddingBytes: text(bytes) }),
    ...(placed && {
      xPaddingObfsMode: true,
      xPaddingPlacement: placed.at,
      xPaddingKey: placed.key,
      xPaddingHeader: placed.header,
      xPaddingMethod: method,
    }),
  }
}
