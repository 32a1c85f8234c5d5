/** One builder for the transport of every link form: each form maps its own keys to `TransportWords`. */

import { type Kinds, settingsKey, type TransportKind, type TransportWords, transportOf } from '../../kinds/kinds.ts'
import { readJsonObject } from './json.ts'
import type { EarlyData, LinkSettings, LinkTransport, ShareLink } from './model.ts'
import { defaultEarlyDataHeader } from './model.ts'
import { linkError, quote, readList } from './text.ts'

const networks = {
  '': 'tcp',
  grpc: 'grpc',
  gun: 'grpc',
  h2: 'h2',
  http: 'h2',
  httpupgrade: 'httpupgrade',
  kcp: 'kcp',
  mkcp: 'kcp',
  quic: 'quic',
  raw: 'tcp',
  splithttp: 'xhttp',
  tcp: 'tcp',
  websocket: 'ws',
  ws: 'ws',
  xhttp: 'xhttp',
} as const satisfies Record<string, LinkTransport['network']>

/** Whether the word names one of them. */
export const isNetwork = (word: string): boolean => word !== '' && Object.hasOwn(networks, word.toLowerCase())

/** `other` for a word that is none of them. */
export function readNetwork(word: string): LinkTransport['network'] {
  const key = word.trim().toLowerCase()
  return Object.hasOwn(networks, key) ? networks[key as keyof typeof networks] : 'other'
}

/** Of a transport that is not among the ones above this keeps the words; completeLink() makes something of them. */
export function readTransport(words: TransportWords): LinkTransport {
  const network = readNetwork(words.network)
  const host = (words.host ?? '').trim()
  const path = (words.path ?? '').trim()
  const headerType = (words.headerType ?? '').trim().toLowerCase()
  switch (network) {
    case 'tcp':
      return readTcp(headerType, host, path)
    case 'kcp':
      return {
        network,
        headerType: datagramHeader(headerType),
        seed: words.seed ?? '',
        ...capacity('uplinkCapacity', words.uplinkCapacity),
        ...capacity('downlinkCapacity', words.downlinkCapacity),
      }
    case 'ws':
    case 'httpupgrade':
      return { network, host, ...readEarlyData(path || '/', words) }
    case 'xhttp':
      return { network, host, path: path || '/', mode: xhttpMode(words.mode), ...readExtra(words.extra) }
    case 'h2':
      return { network, host: readList(host), path: path || '/' }
    case 'quic':
      return {
        network,
        security: (words.quicSecurity ?? '').trim() || 'none',
        key: words.key ?? '',
        headerType: datagramHeader(headerType),
      }
    case 'grpc':
      return {
        network,
        serviceName: words.serviceName ?? '',
        mode: grpcMode(words.mode),
        authority: words.authority ?? '',
      }
    case 'other':
      return { network, name: words.network.trim(), key: '', settings: { ...words } }
  }
}

/** The link with the settings of its transport, where only a kind can read them. @throws LINK_INVALID when there is none */
export function completeLink(link: ShareLink, kinds: Kinds): ShareLink {
  if (link.transport.network !== 'other') return link
  const words = link.transport.settings as unknown as TransportWords
  const kind = kindOf(link.transport.name, kinds)
  if (!kind?.link) {
    const own = kinds.transports.flatMap(({ name, link }) => (link ? `, ${name}` : '')).join('')
    const write = `write one of tcp, kcp, ws, h2, quic, grpc, httpupgrade, xhttp${own}`
    throw linkError(words.part, `${quote(words.network)} is not a transport`, write)
  }
  const transport = {
    network: 'other',
    name: kind.name,
    key: settingsKey(kind),
    settings: kind.link.read(words),
  } as const
  return { ...link, transport }
}

/** What a v2rayN link says of such a transport. @throws LINK_INVALID when there is no such kind */
export function otherFields(
  { name, settings }: Extract<LinkTransport, { network: 'other' }>,
  kinds: Kinds,
): Readonly<Record<'type' | 'host' | 'path', string>> {
  const kind = kindOf(name, kinds)
  if (!kind?.link)
    throw linkError('the transport', `${quote(name)} has no place in a link`, 'share the configuration file')
  return kind.link.write(settings)
}

const kindOf = (name: string, kinds: Kinds): TransportKind | undefined => transportOf(kinds, name.toLowerCase())

/** Whatever is not `http` is no header, as in the clients that read links: writers put other words into the field. */
function readTcp(headerType: string, host: string, path: string): LinkTransport {
  if (headerType !== 'http') return { network: 'tcp' }
  const paths = readList(path)
  return { network: 'tcp', http: { host: readList(host), path: paths.length > 0 ? paths : ['/'] } }
}

const datagramHeaders = ['srtp', 'utp', 'wechat-video', 'dtls', 'wireguard', 'dns']
const datagramHeader = (word: string): string => (datagramHeaders.includes(word) ? word : 'none')

function capacity(name: 'uplinkCapacity' | 'downlinkCapacity', text = ''): Record<string, number> {
  if (text === '') return {}
  if (!/^\d{1,6}$/.test(text)) throw linkError(name, `${quote(text)} is not a number`, 'write MB/s, e.g. 20')
  return { [name]: Number(text) }
}

const xhttpModes = ['packet-up', 'stream-up', 'stream-one']
const xhttpMode = (word = ''): string => (xhttpModes.includes(word.trim()) ? word.trim() : 'auto')

function readExtra(text = ''): { extra?: LinkSettings } {
  if (text.trim() === '') return {}
  const extra = readJsonObject(text, 'extra') as LinkSettings
  return Object.keys(extra).length > 0 ? { extra } : {}
}

/** Anything but `multi` is the default: writers fill the field with words of other transports. */
const grpcMode = (word = ''): 'gun' | 'multi' => (word.trim().toLowerCase() === 'multi' ? 'multi' : 'gun')

/** `?ed=N` and `&eh=NAME` inside a path are settings, not part of the path that is sent. */
function readEarlyData(path: string, words: TransportWords): { path: string; earlyData?: EarlyData } {
  const mark = path.indexOf('?')
  const pairs = mark < 0 ? [] : path.slice(mark + 1).split('&')
  const inside = pairs.find((pair) => /^ed=\d{1,9}$/.test(pair))
  const header = pairs.find((pair) => /^eh=[\w-]+$/.test(pair))
  const outside = words.ed ?? ''
  if (outside !== '' && !/^\d{1,9}$/.test(outside)) {
    throw linkError('ed', `${quote(outside)} is not a number of bytes`, 'write e.g. 2048')
  }
  const size = inside?.slice(3) ?? outside
  if (size === '') return { path }
  const kept = inside === undefined ? pairs : pairs.filter((pair) => pair !== inside && pair !== header)
  const sent = mark < 0 ? path : path.slice(0, mark) + (kept.length > 0 ? `?${kept.join('&')}` : '')
  const maxBytes = Number(size)
  if (maxBytes === 0) return { path: sent || '/' }
  const headerName = (inside === undefined ? undefined : header?.slice(3)) ?? (words.eh || defaultEarlyDataHeader)
  return { path: sent || '/', earlyData: { maxBytes, headerName } }
}

/** The path as links write it: with the early data settings inside. */
export function pathWithEarlyData(path: string, earlyData: EarlyData | undefined): string {
  if (!earlyData) return path
  const header = earlyData.headerName === defaultEarlyDataHeader ? '' : `&eh=${earlyData.headerName}`
  return `${path}${path.includes('?') ? '&' : '?'}ed=${earlyData.maxBytes}${header}`
}
