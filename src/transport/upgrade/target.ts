/** What a request asks for. */

/** The target of a request as it came, without scheme and authority where it is an absolute URI. */
export function originForm(target: string): string {
  const match = /^[a-z][a-z0-9+.-]*:\/\/[^/?#]*(.*)$/i.exec(target)
  if (!match) return target
  return match[1]!.startsWith('/') ? match[1]! : `/${match[1]}`
}

/** The path of a request target, decoded and without its query; undefined if it cannot be decoded. Some clients escape nothing, and what they send is UTF-8. */
export function pathOf(target: string): string | undefined {
  const [encoded = ''] = originForm(target).split(/[?#]/, 1)
  try {
    return decodeURIComponent(encoded.replace(/[\u0080-\u00ff]/g, (byte) => `%${byte.charCodeAt(0).toString(16)}`))
  } catch {
    return undefined
  }
}

/** A host as it is compared: lower case, without its port. */
export const hostOf = (authority: string): string => authority.toLowerCase().replace(/:\d*$/, '')
