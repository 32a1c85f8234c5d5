/** Names that the system's resolver is asked first for, where it is among the servers (RFC 6761, 8375). */
const own = ['local', 'localdomain', 'localhost', 'lan', 'home.arpa', 'example', 'invalid', 'test']

/** Without a dot, or below one of those. */
export const isSystemName = (name: string): boolean =>
  !name.includes('.') || own.some((domain) => name === domain || name.endsWith(`.${domain}`))
