/** From any form of a configuration, or of servers, to any other, and what stayed behind. */
import { builtin } from '../../builtin/kinds.ts'
import { isProxyError } from '../../core/errors.ts'
import type { Kinds } from '../../kinds/kinds.ts'
import { Report } from '../../schema/report.ts'
import type { JsonNode, ObjectNode } from '../../schema/tree.ts'
import { splitLinks } from '../link/envelope.ts'
import type { ShareLink } from '../link/model.ts'
import { formatLink, linkToOutbound, parseLink } from '../link/share-link.ts'
import { type LoadOptions, loadConfig, type Problem, readRoots, type SourceText } from '../load.ts'
import { mergeRoots } from '../text/merge.ts'
import { parseSource } from '../text/source.ts'
import { readClash, writeClash } from './clash.ts'
import { type Form, formOf } from './forms.ts'
import { Losses, type Lost } from './lost.ts'
import { normalise } from './normal.ts'
import { type Plain, plainOf } from './plain.ts'
import { serversOf } from './servers.ts'
import { readSingBox, writeSingBox } from './sing-box.ts'
import { writeV4 } from './v4.ts'
import { writeV5 } from './v5/write.ts'
import { writeXray } from './xray.ts'

export { type Form, formOf, forms } from './forms.ts'
export { type Lost, showLost } from './lost.ts'

export interface ConvertOptions extends LoadOptions {
  readonly to: Form
  /** Default: what the first text shows. */
  readonly from?: Form
}

export interface Converted {
  /** An object, or the lines of links. Absent when there is an error, or nothing that could be written. */
  readonly value?: Plain | readonly string[]
  readonly lost: readonly Lost[]
  readonly problems: readonly Problem[]
}

/** @throws ProxyError LINK_INVALID for a link or an entry that cannot be read */
export function convert(sources: readonly SourceText[], options: ConvertOptions): Converted {
  const { to, kinds = builtin } = options
  const losses = new Losses()
  const from = options.from ?? formOf(sources[0]!)
  if (from === 'link' || from === 'clash' || from === 'sing-box') {
    const report = new Report()
    const reader = { from, kinds, report, losses }
    const links = sources.flatMap((source, i) => readServers(source, i, reader))
    const problems = report.problems(false)
    if (problems.some(({ severity }) => severity === 'error')) return { lost: losses.list, problems }
    const value = writeServers(links, to, kinds, losses)
    return { ...(value && { value }), lost: losses.list, problems }
  }
  const format = from === 'v5' ? 'jsonv5' : (options.format ?? 'auto')
  const { config, problems } = loadConfig(sources, { ...options, format })
  if (!config) return { lost: [], problems }
  const root = normalise(plainOf(rootOf(sources, { ...options, format })!), kinds)
  const value = isFile(to) ? writeFile(root, to, losses) : writeServers(serversOf(root, losses), to, kinds, losses)
  return { ...(value && { value }), lost: losses.list, problems }
}

const isFile = (form: Form): form is 'v4' | 'v5' | 'xray' => form === 'v4' || form === 'v5' || form === 'xray'

const writers = { v4: writeV4, v5: writeV5, xray: writeXray }
const writeFile = (root: Plain, to: keyof typeof writers, losses: Losses): Plain => writers[to](root, losses)

/** All texts as one, in V2Ray 4's form. */
function rootOf(sources: readonly SourceText[], options: LoadOptions): ObjectNode | undefined {
  const report = new Report()
  const roots = readRoots(
    sources.map((source, order) => parseSource(source, order, report)),
    options.format ?? 'auto',
    report,
  )
  return mergeRoots(roots, options.merge ?? 'v2ray', report, [])
}

interface Reader {
  readonly from: Form
  readonly kinds: Kinds
  readonly report: Report
  readonly losses: Losses
}

function readServers(source: SourceText, order: number, { from, kinds, report, losses }: Reader): ShareLink[] {
  if (from === 'link') return readLinks(source.text, kinds, losses)
  const node: JsonNode | undefined = parseSource(source, order, report)
  if (!node) return []
  return (from === 'clash' ? readClash : readSingBox)(plainOf(node), losses)
}

/** A link of a list that cannot be read is left out; one alone is an error. */
function readLinks(text: string, kinds: Kinds, losses: Losses): ShareLink[] {
  const { links, others } = splitLinks(text)
  for (const scheme of new Set(others)) {
    const count = others.filter((each) => each === scheme).length
    losses.say('', `${count} ${scheme}`, 'another protocol than VMess')
  }
  return links.flatMap((written, i) => {
    try {
      const link = parseLink(written, undefined, { kinds })
      for (const [name, value] of Object.entries(link.unknown))
        losses.say(name, value, 'the link says nothing with it that is known here')
      return [link]
    } catch (error) {
      if (!isProxyError(error) || links.length === 1) throw error
      losses.say(`link ${i + 1}`, undefined, error.message)
      return []
    }
  })
}

function writeServers(
  links: readonly ShareLink[],
  to: Form,
  kinds: Kinds,
  losses: Losses,
): Converted['value'] | undefined {
  if (isFile(to)) {
    if (links.length === 0) return undefined
    return writeFile(normalise({ outbounds: unique(links).map(linkToOutbound) }, kinds), to, losses)
  }
  const named = unique(links)
  const written = named.flatMap((link, i): (Plain | string)[] => {
    const path = named.length === 1 ? '' : `servers[${i}]`
    if (to === 'clash') return asListOf(writeClash(link, path, losses))
    if (to === 'sing-box') return asListOf(writeSingBox(link, path, losses))
    return asListOf(lineOf(link, path, kinds, losses))
  })
  if (written.length === 0) return undefined
  if (to === 'link') return written as string[]
  return to === 'clash' ? { proxies: written } : { outbounds: written }
}

const asListOf = <T>(value: T | undefined): T[] => (value === undefined ? [] : [value])

/** Parts that the form of v2rayN has no place for, each with its value where there is nothing to say. */
const absent = { experiments: '', packetEncoding: undefined, mux: false } as const

function lineOf(link: ShareLink, path: string, kinds: Kinds, losses: Losses): string | undefined {
  const said = (key: string) => (path === '' ? key : `${path}.${key}`)
  const { packetEncoding, ...rest } = link
  for (const key of Object.keys(absent) as (keyof typeof absent)[])
    if (link[key] !== absent[key]) losses.say(said(key), link[key], 'links have no place for it')
  const { transport } = rest
  const bare = { ...rest, experiments: '', mux: false, transport: bareTransport(transport, said, losses) }
  try {
    return formatLink(bare, { kinds })
  } catch (error) {
    if (!isProxyError(error)) throw error
    losses.say(path, undefined, `${error.message}: this server is left out`)
    return undefined
  }
}

function bareTransport(
  transport: ShareLink['transport'],
  said: (key: string) => string,
  losses: Losses,
): ShareLink['transport'] {
  const left = 'links have no place for it'
  if (transport.network === 'kcp') {
    const { uplinkCapacity, downlinkCapacity, ...rest } = transport
    for (const [key, value] of Object.entries({ uplinkCapacity, downlinkCapacity }))
      if (value !== undefined) losses.say(said(key), value, left)
    return rest
  }
  if ((transport.network === 'ws' || transport.network === 'httpupgrade') && transport.headers) {
    const { headers, ...rest } = transport
    losses.say(said('headers'), headers, left)
    return rest
  }
  return transport
}

/** Tags and names are there once. */
function unique(links: readonly ShareLink[]): ShareLink[] {
  const taken = new Set<string>()
  return links.map((link) => {
    let name = link.name
    for (let i = 2; taken.has(name); i++) name = `${link.name}-${i}`
    taken.add(name)
    return { ...link, name }
  })
}
