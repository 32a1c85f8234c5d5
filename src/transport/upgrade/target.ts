/** What a configured path comes to, and what a request asks for. */

export interface UpgradePath {
  /** What is sent as the request target, query included; begins with a slash. */
  readonly target: string
  /** Bytes of early data that `?ed=` in the path asks for; 0: none. */
  readonly earlyData: number
}

/** A path gets the slash that it lacks; `ed` is taken out of its query and the rest is sorted, as Xray does. */
export function parseUpgradePath(configured: string): UpgradePath {
  const whole = configured.startsWith('/') ? configured : `/${configured}`
  const mark = whole.indexOf('?')
  const query = new URLSearchParams(mark < 0 ? '' : whole.slice(mark + 1))
  const ed = query.get('ed')
  if (ed === null || !/^\d{1,9}$/.test(ed)) return { target: whole, earlyData: 0 }
  query.delete('ed')
  query.sort()
  const rest = query.toString()
  return { target: whole.slice(0, mark) + (rest === '' ? '' : `?${rest}`), earlyData: Number(ed) }
}

/** The target of a request as it came, without scheme and authority where it is an absolute URI. */
export function originForm(target: string): string {
  const match = /^[a-z][a-z0-9+.-]*:\/\/[^/?#]*(.*)$/i.exec(target)
  if (!match) return target
  return match[1]!.startsWith('/') ? match[1]! : `/${match[1]}`
}

/** The path of a request target, decoded and without its query; undefined if it cannot be decoded. */
export function pathOf(target: string): string | undefined {
  const [encoded = ''] = originForm(target).split(/[?#]/, 1)
  try {
    return decodeURIComponent(encoded)
  } catch {
    return undefined
  }
}

/** A host as it is compared: lower case, without its port. */
export const hostOf = (authority: string): string => authority.toLowerCase().replace(/:\d*$/, '')
