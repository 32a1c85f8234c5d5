/**
 * How the path of a configuration gets into a request: as the programs in Go write it, so that their servers, which compare it
 * decoded, find in it what was configured. Which of the two it is, depends on the transport: some of them read the text as the
 * end of a URL, others take all of it for a path.
 */

/** All of `path` is a path: `?`, `#` and `%` are letters of it like others. */
export const escapePath = (path: string): string => path.replace(/[^A-Za-z0-9\-_.~$&+,/:;=@]/gu, escaped)

/**
 * `text` is the end of a URL: what is escaped in it stays so, a `?` begins the query, and what follows a `#` is never sent.
 * A blank in a query, which would end the request line, is escaped too.
 */
export function escapeTarget(text: string): string {
  const [whole = ''] = text.split('#', 1)
  const mark = whole.indexOf('?')
  if (mark < 0) return escapeWritten(whole)
  return `${escapeWritten(whole.slice(0, mark))}?${escapeQuery(whole.slice(mark + 1))}`
}

/** Whatever cannot stand in a request line. */
export const escapeQuery = (query: string): string => query.replace(/[^!-~]/gu, escaped)

/** A path that is a right one stays as it is; of any other all is escaped that Go escapes, but for what is escaped already. */
const escapeWritten = (path: string): string =>
  /^[A-Za-z0-9\-_.~!$&'()*+,;=:@[\]%/]*$/.test(path)
    ? path
    : path.replace(/%[\dA-Fa-f]{2}|[^A-Za-z0-9\-_.~$&+,/:;=@]/gu, (found) =>
        found.length === 3 ? found : escaped(found),
      )

/** In UTF-8; half of a surrogate pair is U+FFFD, as in Go. */
function escaped(letter: string): string {
  if (letter <= '\x7f') return `%${letter.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`
  return encodeURIComponent(letter.length === 1 && /[\ud800-\udfff]/.test(letter) ? '\ufffd' : letter)
}
