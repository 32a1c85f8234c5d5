/**
 * Where the stream of a service is. Without a leading slash the name is one segment and the streams are Tun and TunMulti;
 * with one it is a path of one's own, whose last segment names the stream, or both: `/service/tun|multi` (Xray).
 */

interface Names {
  readonly service: string
  readonly tun: string
  readonly multi: string
}

/** What a client asks for: as Xray escapes it. */
export function grpcPath(serviceName: string, multi: boolean): string {
  const { service, tun, multi: multiTun } = namesOf(serviceName, escapeSegment)
  return `/${service}/${multi ? multiTun : tun}`
}

/** Whether `path` is one of a server with this name: escaped or not, and as peers spell it that know no path of one's own. */
export function servesGrpc(serviceName: string): (path: string) => boolean {
  const known = new Set<string>()
  for (const spell of [escapeSegment, asItIs]) {
    const { service, tun, multi } = namesOf(serviceName, spell)
    known.add(`/${service}/${tun}`).add(`/${service}/${multi}`)
  }
  // V2Ray 5 and sing-box put whatever is written between two slashes; mihomo has a name of its own for none.
  known.add(`/${serviceName}/Tun`)
  if (serviceName === '') known.add('/GunService/Tun')
  return (path) => known.has(path) || known.has(decoded(path))
}

function namesOf(serviceName: string, spell: (segment: string) => string): Names {
  if (!serviceName.startsWith('/')) return { service: spell(serviceName), tun: 'Tun', multi: 'TunMulti' }
  const end = serviceName.lastIndexOf('/')
  const service = serviceName.slice(1, Math.max(1, end)).split('/').map(spell).join('/')
  const [tun = '', multi = tun] = serviceName.slice(end + 1).split('|')
  return { service, tun: spell(tun), multi: spell(multi) }
}

const asItIs = (segment: string): string => segment

/** Go's url.PathEscape: as encodeURIComponent, but for the five of `$&+=:@` and the five of `!'()*`. */
const escapeSegment = (segment: string): string =>
  encodeURIComponent(segment)
    .replace(/%(?:24|26|2B|3D|3A|40)/g, (escaped) => decodeURIComponent(escaped))
    .replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)

function decoded(path: string): string {
  try {
    return decodeURIComponent(path)
  } catch {
    return path
  }
}
