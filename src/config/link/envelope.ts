/** From pasted text to one link: what copying leaves around it, lists of links, subscriptions. */
import { isLineOfList } from './line.ts'
import { decodeBase64, linkError, quote, trimLink } from './text.ts'

const scheme = /^[a-z][a-z\d+.-]*:\/\//i
const vmessScheme = /^vmess1?:\/\//i

/** Where another link begins inside a line: after anything that separates words. */
const nextLink = /(?<=[\s"'<>,;|])(?=vmess1?:\/\/)/i

export interface Links {
  /** Each without what stood around it. */
  readonly links: readonly string[]
  /** The list was base64, as subscriptions are. */
  readonly subscription: boolean
  /** Schemes of the links of other protocols that were passed over, one for each. */
  readonly others: readonly string[]
}

/** The VMess links of a text. A text with no link is given back as it is, for the reader to refuse. */
export function splitLinks(text: string): Links {
  const trimmed = trimLink(text)
  const inner = scheme.test(trimmed) || isLineOfList(trimmed) ? undefined : decodeBase64(trimmed)
  const subscription = inner !== undefined && scheme.test(inner.trimStart())
  const whole = unwrap(subscription ? inner : trimmed)
  const pieces = entriesOf(whole).flatMap((entry) => entry.split(nextLink).map(unwrap))
  const links = pieces.filter((piece) => vmessScheme.test(piece) || isLineOfList(piece))
  const others = pieces.flatMap((piece) => (vmessScheme.test(piece) ? [] : (scheme.exec(piece)?.[0] ?? [])))
  return { links: links.length > 0 ? links : [whole], subscription, others: links.length > 0 ? others : [] }
}

/** Lines that begin an entry of a list, each with the lines behind it: base64 may be broken into several. */
function entriesOf(text: string): string[] {
  const entries: string[] = []
  for (const line of text.split(/\r\n|\r|\n/)) {
    if (entries.length === 0 || scheme.test(trimLink(line)) || isLineOfList(line)) entries.push(line)
    else entries[entries.length - 1] += `\n${line}`
  }
  return entries
}

const pairs: Readonly<Map<string, string>> = new Map(
  ['()', '[]', '（）', '【】', '“”', '‘’', '「」', '『』', '《》', '〈〉'].map(([open = '', close = '']) => [
    open,
    close,
  ]),
)

/** Quotes, brackets and punctuation around a link are not part of it; `&` may come from a web page as an entity. */
function unwrap(text: string): string {
  const trimmed = trimLink(text)
  const head = /^[^a-z\d\s]+(?=vmess1?:\/\/)/i.exec(trimmed)?.[0] ?? ''
  const link = trimmed.slice(head.length)
  if (!vmessScheme.test(link)) return trimmed
  const closers = [...head].flatMap((open) => pairs.get(open) ?? [])
  let end = link.length
  while (end > 0 && isAfterLink(link[end - 1]!, closers)) end--
  return link.slice(0, end).replace(/&(?:amp;)+/gi, '&')
}

/** A bracket closes only what was opened in front: a name may end in one. */
const isAfterLink = (char: string, closers: readonly string[]): boolean =>
  /[\s"'`<>,;.，。；、”’]/.test(char) || closers.includes(char)

/** The link that is meant: `choice` is a number from 1, or a name as `nameOf` tells it. */
export function chooseLink(
  { links, subscription }: Omit<Links, 'others'>,
  choice: string | undefined,
  nameOf: (link: string) => string,
): string {
  if (choice === undefined && links.length === 1) return links[0]!
  const names = links.map(nameOf)
  const index = choice === undefined ? -1 : indexOf(names, choice.trim())
  if (index >= 0) return links[index]!
  const shown = names.slice(0, 8).map((name, i) => `${i + 1} ${quote(name, 40)}`)
  const list = [...shown, ...(names.length > 8 ? ['…'] : [])].join(', ')
  const what = subscription ? `is a subscription of ${links.length} links` : `holds ${links.length} links`
  const write = "choose one by its number or its name: vmess connect --choose 1, or parseLink(text, '1')"
  if (choice === undefined) throw linkError('the text', `${what}: ${list}`, write)
  throw linkError('the choice', `${quote(choice, 40)} is none of the links: ${list}`, write)
}

function indexOf(names: readonly string[], choice: string): number {
  const named = names.indexOf(choice)
  if (named >= 0 || !/^\d+$/.test(choice)) return named
  return Number(choice) <= names.length ? Number(choice) - 1 : -1
}
