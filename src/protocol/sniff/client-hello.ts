/** Server name (RFC 6066, 3) and application protocols (RFC 7301) of a ClientHello (RFC 8446, 4.1.2), wherever its bytes were carried. */

/** Bytes before the session id: type, length, version and random. */
const beforeSession = 38

/** How long the whole hello is, its 4 bytes of type and length included; `'no'`: it is no ClientHello; undefined: too short to say. */
export function helloLength(bytes: Uint8Array): number | 'no' | undefined {
  if (bytes.length > 0 && bytes[0] !== 1) return 'no'
  if (bytes.length < 4) return undefined
  return 4 + ((bytes[1]! << 16) | (bytes[2]! << 8) | bytes[3]!)
}

/**
 * The server name in a whole ClientHello, as sent; `''` for an empty one; undefined where there is none, or what came is
 * malformed.
 */
export function serverNameOf(hello: Uint8Array): string | undefined {
  const names = extensionOf(hello, 0)
  return names && nameIn(names)
}

/** The application protocols that the client offers, best first; none where it offers none, or what came is malformed. */
export function protocolsOf(hello: Uint8Array): string[] {
  const list = extensionOf(hello, 16)
  const found: string[] = []
  if (!list || list.length < 2 || 2 + u16(list, 0) !== list.length) return found
  for (let at = 2; at < list.length; ) {
    const end = at + 1 + list[at]!
    if (end > list.length) return []
    found.push(text.decode(list.subarray(at + 1, end)))
    at = end
  }
  return found
}

/** The first extension of a type; undefined where there is none, or what stands before it is malformed. */
function extensionOf(hello: Uint8Array, type: number): Uint8Array | undefined {
  const extensions = extensionsOf(hello)
  if (!extensions) return undefined
  for (let at = 0; at + 4 <= extensions.length; ) {
    const length = u16(extensions, at + 2)
    if (at + 4 + length > extensions.length) return undefined
    if (u16(extensions, at) === type) return extensions.subarray(at + 4, at + 4 + length)
    at += 4 + length
  }
  return undefined
}

function extensionsOf(hello: Uint8Array): Uint8Array | undefined {
  if (hello.length < beforeSession + 4) return undefined
  const sessionLength = hello[beforeSession]!
  if (sessionLength > 32) return undefined
  let at = beforeSession + 1 + sessionLength
  if (at + 2 > hello.length) return undefined
  const ciphers = u16(hello, at)
  at += 2 + ciphers
  if (ciphers % 2 === 1 || at >= hello.length) return undefined
  at += 1 + hello[at]!
  if (at + 2 > hello.length || at + 2 + u16(hello, at) !== hello.length) return undefined
  return hello.subarray(at + 2)
}

/** The first host name of a list of server names. */
function nameIn(list: Uint8Array): string | undefined {
  if (list.length < 2 || 2 + u16(list, 0) !== list.length) return undefined
  for (let at = 2; at + 3 <= list.length; ) {
    const length = u16(list, at + 1)
    if (at + 3 + length > list.length) return undefined
    if (list[at] === 0) return text.decode(list.subarray(at + 3, at + 3 + length))
    at += 3 + length
  }
  return undefined
}

const text = new TextDecoder()

const u16 = (bytes: Uint8Array, at: number): number => (bytes[at]! << 8) | bytes[at + 1]!
