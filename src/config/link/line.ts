/**
 * One line of a proxy list: `NAME = vmess, HOST, PORT, …`. Quantumult puts it into `vmess://` + base64 with cipher and
 * quoted UUID as the next two entries; Surge writes it bare with `username=`. Both readers take any letter case.
 */
import { buildLink, plainNames } from './build.ts'
import type { ShareLink } from './model.ts'
import { Params } from './query.ts'
import { linkError, readAddress, readFlag } from './text.ts'
import { readTls } from './tls.ts'
import { readTransport } from './transport.ts'

const start = /^([^=]*)=\s*vmess\s*,/i

export const isLine = (text: string): boolean => start.test(text)

export function readLine(text: string): ShareLink {
  const head = start.exec(text)
  if (!head) throw linkError('the line', 'does not begin with NAME = vmess,', 'copy it again, whole')
  const { words, params } = entriesOf(text.slice(head[0].length))
  const line = { name: unquote(head[1]!.trim()), host: words[0] ?? '', port: words[1] ?? '' }
  return words.length > 2 ? readQuantumult(line, words, params) : readSurge(line, params)
}

interface Line {
  readonly name: string
  readonly host: string
  readonly port: string
}

function readQuantumult(line: Line, words: readonly string[], params: Params): ShareLink {
  const address = readAddress(line.host, plainNames.address)
  const headers = readHeaders(params.take('obfs-header').split(/\[Rr\]\[Nn\]|\\r\\n|\r?\n/i))
  const certificate = params.take('certificate')
  const tlsWords = {
    address,
    serverName: params.take('tls-host'),
    allowInsecure: certificate !== '' && !readFlag(certificate, 'certificate') ? '1' : '0',
  }
  const obfs = params.take('obfs').toLowerCase()
  // `wss` is ws over TLS in one word.
  const tls = readFlag(params.take('over-tls'), 'over-tls') || obfs === 'wss'
  params.take('group') // a folder in Quantumult's list; nothing to connect with
  return buildLink({
    name: line.name,
    address,
    port: line.port,
    security: words[2] ?? '',
    id: words[3] ?? '',
    alterId: params.take('alterid', 'aid'),
    transport: readTransport({
      part: 'obfs',
      network: obfs === 'wss' ? 'ws' : obfs === 'http' ? 'tcp' : obfs.replace(/^none$/, ''),
      headerType: obfs === 'http' ? 'http' : '',
      host: headers.host,
      path: params.take('obfs-path'),
    }),
    tls: tls ? readTls(tlsWords) : undefined,
    unknown: { ...params.rest(), ...headers.others },
  })
}

function readSurge(line: Line, params: Params): ShareLink {
  const address = readAddress(line.host, plainNames.address)
  const headers = readHeaders(params.take('ws-headers').split('|'))
  const ws = readFlag(params.take('ws'), 'ws')
  const path = params.take('ws-path')
  const tlsWords = {
    address,
    serverName: params.take('sni'),
    allowInsecure: params.take('skip-cert-verify'),
    pins: params.take('server-cert-fingerprint-sha256'),
  }
  const tls = readFlag(params.take('tls'), 'tls')
  // Surge's default is the legacy header, which only a count above 0 selects here.
  const aead = readFlag(params.take('vmess-aead'), 'vmess-aead')
  return buildLink({
    name: line.name,
    address,
    port: line.port,
    security: params.take('encrypt-method'),
    id: params.take('username'),
    alterId: aead ? '0' : '1',
    transport: readTransport({ part: 'ws', network: ws ? 'ws' : 'tcp', host: headers.host, path }),
    tls: tls ? readTls(tlsWords) : undefined,
    unknown: { ...params.rest(), ...headers.others },
  })
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
