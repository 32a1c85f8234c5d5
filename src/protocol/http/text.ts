/** HTTP heads are bytes: every byte is one character here (ISO 8859-1), so that nothing is lost on the way through. */

export function textOf(bytes: Uint8Array): string {
  let text = ''
  for (let at = 0; at < bytes.length; at += 4096) text += String.fromCharCode(...bytes.subarray(at, at + 4096))
  return text
}

/** The inverse of textOf. Characters beyond 255 cannot be in a head and are the caller's mistake. */
export function bytesOf(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length)
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i)
  return bytes
}

/** Without spaces and tabs at both ends; nothing else, unlike String.trim(), which takes the byte A0 too. */
export function trimmed(text: string): string {
  let from = 0
  let to = text.length
  const blank = (at: number) => text[at] === ' ' || text[at] === '\t'
  while (from < to && blank(from)) from++
  while (to > from && blank(to - 1)) to--
  return text.slice(from, to)
}
