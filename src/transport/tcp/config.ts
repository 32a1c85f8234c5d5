/** `tcpSettings`, Xray's `rawSettings`. */
import type { z } from 'zod'
import type { Context } from '../../schema/context.ts'
import { acceptProxyProtocol, mapOf, object, stringList, text, word } from '../../schema/fields.ts'
import { transportForm } from '../../schema/kind.ts'
import { shorten } from '../../schema/report.ts'
import type { DisguiseConfig, DrawnHeader } from '../../settings/disguise.ts'

const headers = mapOf(stringList('Values, of which one is drawn for each connection.'), 'Instead of the usual headers.')

const header = object(() => ({
  type: word(['none', 'http'], 'Dress the first bytes up as HTTP, or not.'),
  request: object(() => ({
    version: text('Default: 1.1.'),
    method: text('Default: GET.'),
    path: stringList('Paths: a client draws one, a server takes each. Default: /.'),
    headers,
  })).describe('Head that the client sends.'),
  response: object(() => ({
    version: text('Default: 1.1.'),
    status: text('Default: 200.'),
    reason: text('Default: OK.'),
    headers,
  })).describe('Head that the server sends.'),
})).describe('What the first bytes look like.')

const schema = object(() => ({
  header,
  acceptProxyProtocol: acceptProxyProtocol(),
})).describe('Settings of the tcp transport.')

type Header = z.output<typeof header>

/** The heads in front of a stream; undefined: none. */
function build(input: z.output<typeof schema> | undefined, { report }: Context): DisguiseConfig | undefined {
  const written = input?.header
  if (written?.type === 'http') return disguiseOf(written, report)
  if (!written || (written.type !== 'none' && report.wrote(written, 'type'))) return undefined
  for (const key of ['request', 'response'] as const) {
    if (Object.keys(written[key] ?? {}).length === 0) continue
    report.warn('CFG030', report.at(written, key), `"${key}" has no effect: the type of this header is "none"`)
  }
  return undefined
}

const listOf = (list: readonly string[] | string | undefined): readonly string[] =>
  typeof list === 'string' ? list.split(',').map((item) => item.trim()) : (list ?? [])

function disguiseOf(input: Header, report: Context['report']): DisguiseConfig {
  const request = input.request ?? {}
  const response = input.response ?? {}
  const paths = listOf(request.path).map((path) => (path.startsWith('/') ? path : `/${path}`))
  for (const [key, part] of [
    ['request', request],
    ['response', response],
  ] as const) {
    for (const text of wordsOf(part).filter((word) => /[^\t\P{Cc}]/u.test(word))) {
      report.error('CFG022', report.at(input, key), `${JSON.stringify(shorten(text))} cannot stand in a head of HTTP`)
    }
  }
  return {
    request: {
      version: request.version || '1.1',
      method: request.method || 'GET',
      paths: paths.length > 0 ? paths : ['/'],
      headers: headersOf(request.headers, requestHeaders),
    },
    response: {
      version: response.version || '1.1',
      status: response.status || '200',
      reason: response.reason || 'OK',
      headers: headersOf(response.headers, responseHeaders),
    },
  }
}

/** Every text in a part of the header. */
const wordsOf = (part: object): string[] =>
  Object.entries(part).flatMap(([key, value]) =>
    typeof value === 'string' ? [value] : key === 'headers' ? [...Object.keys(value), ...wordsOf(value)] : [...value],
  )

/** Sorted, as V2Ray sends them; a header without a value is none. */
function headersOf(
  written: Readonly<Record<string, readonly string[] | string>> | undefined,
  usual: readonly DrawnHeader[],
): readonly DrawnHeader[] {
  if (!written) return usual
  return Object.entries(written)
    .map(([name, values]) => ({ name, values: typeof values === 'string' ? [values] : values }))
    .filter(({ values }) => values.length > 0)
    .sort((a, b) => (a.name < b.name ? -1 : 1))
}

const userAgents = [
  'Mozilla/5.0 (Windows NT 10.0; WOW64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/53.0.2785.143 Safari/537.36',
  'Mozilla/5.0 (iPhone; CPU iPhone OS 10_0_2 like Mac OS X) AppleWebKit/601.1 (KHTML, like Gecko) CriOS/53.0.2785.109 Mobile/14A456 Safari/601.1.46',
]

const requestHeaders: readonly DrawnHeader[] = [
  { name: 'Accept-Encoding', values: ['gzip, deflate'] },
  { name: 'Connection', values: ['keep-alive'] },
  { name: 'Host', values: ['www.baidu.com', 'www.bing.com'] },
  { name: 'Pragma', values: ['no-cache'] },
  { name: 'User-Agent', values: userAgents },
]

const responseHeaders: readonly DrawnHeader[] = [
  { name: 'Cache-Control', values: ['private', 'no-cache'] },
  { name: 'Connection', values: ['keep-alive'] },
  { name: 'Content-Type', values: ['application/octet-stream', 'video/mpeg'] },
  { name: 'Pragma', values: ['no-cache'] },
  { name: 'Transfer-Encoding', values: ['chunked'] },
]

export const tcpForm = transportForm({
  name: 'tcp',
  aliases: ['raw'],
  description: 'TCP, or a unix socket',
  schema,
  settingsKeys: { tcpSettings: undefined, rawSettings: 'Xray’s name of tcpSettings; it wins.' },
  build,
})
