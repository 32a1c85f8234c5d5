/** Share links: every form in use is read, the v2rayN form is written. docs/links.md has the tables. */
import { builtin } from '../../builtin/kinds.ts'
import type { Kinds } from '../../kinds/kinds.ts'
import { isCipherForm, isPlainCipherForm, readCipherForm } from './cipher.ts'
import { isDraft, readDraft } from './draft.ts'
import { chooseLink, splitLinks } from './envelope.ts'
import { readKitsunebi } from './kitsunebi.ts'
import { isLineOfList, readLine } from './line.ts'
import type { ShareLink } from './model.ts'
import { splitUrl } from './query.ts'
import { decodeBase64, linkError, quote, trimLink } from './text.ts'
import { completeLink } from './transport.ts'
import { readUrlForm } from './url.ts'
import { readV2rayN, writeV2rayN } from './v2rayn.ts'

export type { EarlyData, LinkTls, LinkTransport, ShareLink } from './model.ts'
export { linkToOutbound } from './outbound.ts'

/** Longer text is no link: the longest honest ones have some 2,000 characters. */
const longestLink = 65_536
/** Longer text is no list of links. */
const longestText = 16_777_216

export interface LinkOptions {
  /** Transports that links can name besides the well-known ones; by default those that are built in. */
  readonly kinds?: Kinds
}

/**
 * Reads a VMess share link: the JSON of v2rayN, the URL form of Xray's clients, the v2fly draft, Shadowrocket, V2RayU,
 * Kitsunebi (`vmess1://`), Quantumult, or a line of Surge, Loon or Quantumult X. Quotes and punctuation around it are left out.
 *
 * Of a text with several links, or of a subscription, `choice` says which: a number from 1, or a name.
 *
 * @throws ProxyError LINK_INVALID; its message names the part and what belongs there, and never holds a whole id.
 */
export function parseLink(text: string, choice?: string | number, { kinds = builtin }: LinkOptions = {}): ShareLink {
  if (text.length > longestText) throw linkError('the text', 'is too long', 'give one link')
  const link = chooseLink(splitLinks(text), choice === undefined ? undefined : String(choice), nameOf)
  return completeLink(readOne(link), kinds)
}

function nameOf(link: string): string {
  try {
    return readOne(link).name
  } catch {
    return 'unreadable'
  }
}

function readOne(link: string): ShareLink {
  if (link.length > longestLink) throw linkError('the text', 'is too long for a link', 'give one link at a time')
  const scheme = /^([a-z][a-z0-9+.-]*):\/\//i.exec(link)?.[1]?.toLowerCase()
  if (scheme === 'vmess') return readVmess(link.slice('vmess://'.length))
  if (scheme === 'vmess1') return readKitsunebi(splitUrl(link.slice('vmess1://'.length)))
  if (scheme === undefined && isLineOfList(link)) return readLine(link)
  const found = scheme === undefined ? 'is missing' : `${quote(scheme)} belongs to another protocol`
  const write =
    scheme === 'http' || scheme === 'https'
      ? 'give a link that begins with vmess://, or the text behind this address if it is a subscription'
      : 'give a link that begins with vmess://'
  throw linkError('the scheme', found, write)
}

function readVmess(rest: string): ShareLink {
  const url = splitUrl(rest)
  if (url.body.includes('@')) {
    if (isDraft(url)) return readDraft(url)
    return isPlainCipherForm(url.body) ? readCipherForm(url.body, url) : readUrlForm(url)
  }
  const decoded = decodeBase64(url.body)
  if (decoded === undefined) {
    throw linkError('the text after vmess://', 'is neither base64 nor USER@HOST:PORT', 'copy the link again, whole')
  }
  const inner = trimLink(decoded)
  if (inner.startsWith('{')) return readV2rayN(inner, url.fragment)
  if (isLineOfList(inner)) return readLine(inner)
  if (isCipherForm(inner)) return readCipherForm(inner, url)
  throw linkError('the base64 part', 'holds neither JSON nor CIPHER:ID@HOST:PORT', 'copy the link again, whole')
}

/**
 * Writes a link in the v2rayN form: standard base64 of a JSON object whose fields are all strings. A custom id is
 * written as its UUID; `unknown` is left out.
 *
 * @throws ProxyError LINK_INVALID for what the form has no place for: experiments, packetEncoding, mux, kcp capacities.
 */
export function formatLink(link: ShareLink, { kinds = builtin }: LinkOptions = {}): string {
  return writeV2rayN(link, kinds)
}
