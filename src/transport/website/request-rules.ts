/** Which requests nginx 1.22 refuses before it looks at what they are for (test/fixtures/nginx.json). */

import type { SiteAnswer } from '../../core/website.ts'
import type { RequestHead } from '../../protocol/http/head.ts'
import { tokensOf, valuesOf } from '../../protocol/http/headers.ts'
import { bytesOf, textOf } from '../../protocol/http/text.ts'
import { badRequest, page } from './pages.ts'

const tooLarge = 'Request Header Or Cookie Too Large'

/** Bytes of one line of a head. */
const lineMax = 8_192

/** What is wrong with a head that could not be read, or of which only the beginning has come; undefined: nothing so far. */
export function firstLineFault(head: Uint8Array): SiteAnswer | undefined {
  const feed = head.indexOf(LF)
  const line = textOf(head.subarray(0, feed < 0 ? beginMax : feed)).replace(/\r$/, '')
  if (feed < 0 ? mayBecome.test(line) : whole.test(line) || old.test(line)) return undefined
  return ofLaterVersion.test(line) ? page(505, { last: true }) : badRequest()
}

/** Says when a head that comes in pieces has a first line of which nothing can become, or one of HTTP/0.9, which is all of it. */
export function firstLineWatch(): (head: Uint8Array) => boolean {
  let passed = false
  return (head) => {
    if (passed) return false
    passed = head.includes(LF)
    return firstLineFault(head) !== undefined || oldTarget(head) !== undefined
  }
}

const LF = 0x0a

/** Bytes of a first line that has no end yet that are looked at: pieces may be many. */
const beginMax = 256

const target = String.raw`(?:\/[!-~\x80-\xff]*|[A-Za-z][A-Za-z0-9+.-]*:\/\/[!-~\x80-\xff]*)`
const whole = new RegExp(String.raw`^[A-Z_-]+ +${target} +HTTP\/1\.\d+ *$`)
const ofLaterVersion = new RegExp(String.raw`^[A-Z_-]+ +${target} +HTTP\/(?!0|1\.|1$)\d`)
const old = /^GET +(\/[!-~\x80-\xff]*) *$/
/** A beginning of a first line, ended anywhere. */
const mayBecome = new RegExp(
  String.raw`^[A-Z_-]*(?:$| +(?:$|[A-Za-z][A-Za-z0-9+.-]*:?\/?$|${target}(?:$| +(?:H?$|HT$|HTT$|HTTP\/?$|HTTP\/1\.?\d* *$))))`,
)

/** The path of a request of HTTP/0.9, which is a line without a version. */
export function oldTarget(head: Uint8Array): string | undefined {
  const feed = head.indexOf(LF)
  return feed < 0 ? undefined : old.exec(textOf(head.subarray(0, feed)).replace(/\r$/, ''))?.[1]
}

/** Without what nginx does not look at: lines without a colon, and names with other letters than it knows. */
export function withoutOddLines(head: Uint8Array): Uint8Array {
  const [first = '', ...lines] = textOf(head).split('\n')
  return bytesOf([first, ...lines.filter(isLookedAt)].join('\n'))
}

function isLookedAt(line: string): boolean {
  const text = line.endsWith('\r') ? line.slice(0, -1) : line
  const colon = text.indexOf(':')
  const name = colon < 0 ? text : text.slice(0, colon)
  if (name === '' || /[\0- \x7f]/.test(name)) return true
  return colon >= 0 && /^[\w-]+$/.test(name)
}

/** What is wrong with a head that could be read. */
export function headFault(head: RequestHead): SiteAnswer | undefined {
  const { method, target, minor, headers } = head
  if (!/^[A-Z_-]+$/.test(method)) return badRequest()
  if (method.length + target.length + ' HTTP/1.1\r\n'.length + 1 > lineMax) return page(414, { last: true })
  if (headers.some(({ name, value }) => name.length + value.length + 4 > lineMax)) return badRequest(tooLarge)
  const hosts = valuesOf(headers, 'Host')
  if (hosts.length > 1 || (minor === 1 && hosts.length === 0) || hosts.some((host) => !isHost(host)))
    return badRequest()
  const lengths = valuesOf(headers, 'Content-Length')
  if (lengths.length > 1 || lengths.some((length) => !/^\d{1,18}$/.test(length))) return badRequest()
  const codings = tokensOf(headers, 'Transfer-Encoding')
  if (codings.length === 0) return undefined
  if (minor === 0 || lengths.length > 0) return badRequest()
  return codings.length === 1 && codings[0] === 'chunked' ? undefined : page(501, { last: true })
}

const isHost = (host: string): boolean => /^(?:\[[^\]]*\]|[^:[\]])/.test(host) && !/[\0- /\x7f]|\.\./.test(host)

/** For a head that is longer than all room for it. */
export const headTooLarge = (): SiteAnswer => badRequest(tooLarge)
