/** One builder for the transport of every link form: each form maps its own keys to `TransportWords`. */
import type { EarlyData, LinkTransport } from './model.ts'
import { defaultEarlyDataHeader } from './model.ts'
import { linkError, quote, readList } from './text.ts'

export interface TransportWords {
  readonly network: string
  /** Header type of tcp, kcp and quic. */
  readonly headerType?: string
  /** Host header, or a comma-separated list of them. */
  readonly host?: string
  readonly path?: string
  readonly mode?: string
  readonly serviceName?: string
  readonly authority?: string
  readonly seed?: string
  readonly quicSecurity?: string
  readonly key?: string
  /** Early data given beside the path instead of inside it. */
  readonly ed?: string
  readonly eh?: string
  readonly uplinkCapacity?: string
  readonly downlinkCapacity?: string
  /** How the link calls the field, for messages. */
  readonly part: string
}

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

/** Whether the word names a transport. */
export const isNetwork = (word: string): boolean => word !== '' && Object.hasOwn(networks, word.toLowerCase())

export function readNetwork(word: string, part: string): LinkTransport['network'] {
  const key = word.trim().toLowerCase()
  if (Object.hasOwn(networks, key)) return networks[key as keyof typeof networks]
  const write = 'write one of tcp, kcp, ws, h2, quic, grpc, httpupgrade, xhttp'
  throw linkError(part, `${quote(word)} is not a transport`, write)
}

export function readTransport(words: TransportWords): LinkTransport {
  const network = readNetwork(words.network, words.part)
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
      return { network, host, path: path || '/', mode: xhttpMode(words.mode) }
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
  }
}

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
