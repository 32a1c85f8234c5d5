/**
 * One line of a proxy list: `NAME = vmess, HOST, PORT, …`. Quantumult puts it into `vmess://` + base64 with cipher and
 * quoted UUID as the next two entries; Loon writes the same bare; Surge writes it with `username=`. Quantumult X begins with the
 * protocol, `vmess=HOST:PORT, …`. The names of all of them are read, in any letter case.
 */
import type { TransportWords } from '../../kinds/kinds.ts'
import { buildLink, plainNames } from './build.ts'
import type { ShareLink } from './model.ts'
import { partNames, takeTls } from './names.ts'
import { Params } from './query.ts'
import { linkError, readAddress, readFlag, splitHostPort } from './text.ts'
import { readTls, readTlsSwitch } from './tls.ts'
import { readTransport } from './transport.ts'

const start = /^([^=]*)=\s*vmess\s*,/i
const startOfX = /^vmess\s*=\s*([^,=]+),/i

export const isLineOfList = (text: string): boolean => start.test(text) || startOfX.test(text)

export function readLine(text: string): ShareLink {
  const head = start.exec(text)
  const ofX = !head && startOfX.exec(text)
  if (ofX) return readLineOfX(ofX[1]!.trim(), text.slice(ofX[0].length))
  if (!head) throw linkError('the line', 'does not begin with NAME = vmess,', 'copy it again, whole')
  const { words, params } = entriesOf(text.slice(head[0].length))
  const [host = '', port = '', cipher = '', id = ''] = words
  const address = readAddress(host, plainNames.address)
  const transport = takeTransport(params)
  const tlsWords = takeTls(params, address)
  if (params.take('public-key', 'reality-opts') !== '') readTlsSwitch('reality', 'the parameter public-key')
  const named = words.length <= 2
  params.take('group') // a folder in Quantumult's list; nothing to connect with
  return buildLink({
    name: unquote(head[1]!.trim()),
    address,
    port,
    security: named ? params.take(...partNames.cipher) : cipher,
    id: named ? params.take('username', ...partNames.id) : id,
    alterId: readAlterId(params, named),
    transport: readTransport(transport.words),
    tls: transport.tls ? readTls(tlsWords) : undefined,
    unknown: { ...params.rest(), ...transport.headers },
  })
}

/** `method`, `password` and `tag` are cipher, id and name; the host of the transport is the name for TLS where none is given. */
function readLineOfX(server: string, text: string): ShareLink {
  const { params } = entriesOf(text)
  const { host, port } = splitHostPort(server)
  const address = readAddress(host, plainNames.address)
  const transport = takeTransport(params)
  const tlsWords = takeTls(params, address)
  const aead = params.take('aead')
  return buildLink({
    name: params.take('tag'),
    address,
    port,
    security: params.take(...partNames.cipher),
    id: params.take('password'),
    alterId: aead !== '' && !readFlag(aead, 'aead') ? '1' : '0',
    transport: readTransport(transport.words),
    tls: transport.tls ? readTls({ ...tlsWords, serverName: tlsWords.serverName || transport.host }) : undefined,
    unknown: { ...params.rest(), ...transport.headers },
  })
}

/** Surge, which names its words, has the legacy header as its default; only a count above 0 selects it here. */
function readAlterId(params: Params, surge: boolean): string {
  const count = params.take(...partNames.alterId)
  const aead = readFlag(params.takeSwitch('vmess-aead', 'aead'), 'vmess-aead')
  return count !== '' ? count : aead || !surge ? '0' : '1'
}

interface LineTransport {
  readonly words: TransportWords
  readonly tls: boolean
  readonly host: string
  /** Headers that the transport has no place for. */
  readonly headers: Readonly<Record<string, string>>
}

/** Quantumult says `obfs`, Loon `transport`, Surge `ws=true`; `wss` is ws over TLS in one word. */
function takeTransport(params: Params): LineTransport {
  const word = (params.take('obfs') || params.take(...partNames.network)).toLowerCase()
  const ws = readFlag(params.takeSwitch('ws'), 'ws') || word === 'wss'
  const overTls = readFlag(params.takeSwitch('over-tls'), 'over-tls') || readFlag(params.takeSwitch('tls'), 'tls')
  const headers = readHeaders(params.take('obfs-header', 'ws-headers').split(/\[Rr\]\[Nn\]|\\r\\n|\r?\n|\|/i))
  const host = headers.host || params.take(...partNames.host)
  const words = {
    part: 'the transport (obfs, transport or ws)',
    network: ws ? 'ws' : ['http', 'none', 'over-tls'].includes(word) ? 'tcp' : word,
    headerType: word === 'http' ? 'http' : params.take(...partNames.headerType),
    host,
    path: params.take(...partNames.path),
    serviceName: params.take(...partNames.serviceName),
  }
  return { words, host, tls: overTls || word === 'wss' || word === 'over-tls', headers: headers.others }
}

/** Entries between commas; a comma inside double quotes separates nothing. */
function entriesOf(text: string): { words: string[]; params: Params } {
  const entries = (text.match(/(?:"[^"]*"|[^,"]|")+/g) ?? []).map((entry) => entry.trim())
  const words: string[] = []
  const pairs: [string, string][] = []
  for (const entry of entries) {
    const pair = /^([\w-]+)\s*=(.*)$/s.exec(entry)
    if (pair) pairs.push([pair[1]!, unquote(pair[2]!.trim())])
    else words.push(unquote(entry))
  }
  return { words, params: new Params(pairs, { anyCase: true }) }
}

const unquote = (text: string) => /^"(.*)"$/s.exec(text)?.[1] ?? text

function readHeaders(lines: readonly string[]): { host: string; others: Record<string, string> } {
  const pairs = lines.map((line): [string, string] => {
    const colon = line.indexOf(':')
    return colon < 0 ? [line.trim(), ''] : [line.slice(0, colon).trim(), line.slice(colon + 1).trim()]
  })
  const isHost = ([name]: [string, string]) => name.toLowerCase() === 'host'
  const others = pairs
    .filter((pair) => pair[0] !== '' && !isHost(pair))
    .map(([name, value]) => [`header ${name}`, value])
  return { host: unquote(pairs.find(isHost)?.[1] ?? ''), others: Object.fromEntries(others) }
}
