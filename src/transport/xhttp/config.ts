/** `xhttpSettings`. */
import type { Context } from '../../schema/context.ts'
import { transportForm } from '../../schema/kind.ts'
import { shorten } from '../../schema/report.ts'
import type { XhttpConfig, XhttpMux, XhttpRange } from '../../settings/xhttp.ts'
import { readRequestHost } from '../upgrade/host-config.ts'
import { type XhttpFields, type XhttpInput, xhttpSchema } from './fields-config.ts'
import { readIds } from './ids-config.ts'
import { readPositive, readRange } from './range-config.ts'
import { readShape } from './shape-config.ts'

export const xhttpForm = transportForm({
  name: 'xhttp',
  aliases: ['splithttp'],
  description: 'xhttp, SplitHTTP before: streams in requests of HTTP/1.1 or HTTP/2',
  schema: xhttpSchema,
  settingsKeys: { splithttpSettings: 'Old name of xhttpSettings.', xhttpSettings: undefined },
  readsRequests: true,
  // Xray means UDP by it, and nothing else.
  refusesAlpn: { name: 'h3', what: 'HTTP/3, over QUIC' },
  build(input: XhttpInput | undefined = {}, context: Context): XhttpConfig {
    const own: XhttpFields = input.extra ?? input
    if (input.extra) reportIdle(input, context)
    const { host, headers } = readHeaders(input, own, context)
    const postKey = own.scMaxEachPostBytes === undefined ? 'maxUploadSize' : 'scMaxEachPostBytes'
    const intervalKey = own.scMinPostsIntervalMs === undefined ? 'minUploadIntervalMs' : 'scMinPostsIntervalMs'
    return {
      shape: readShape(input, own, context),
      host,
      servedHost: host,
      headers,
      ids: readIds(own, context),
      postBytes: readPositive(own, postKey, fixed(1_000_000), context),
      postsIntervalMs: readRange(own, intervalKey, fixed(30), context),
      maxBufferedPosts: own.scMaxBufferedPosts || 30,
      streamUpServerSecs: readRange(own, 'scStreamUpServerSecs', { from: 20, to: 80 }, context),
      maxHeaderBytes: own.serverMaxHeaderBytes ?? 0,
      forwarded: input.parseXForwardedFor ?? true,
      noGrpcHeader: own.noGRPCHeader ?? false,
      noSseHeader: own.noSSEHeader ?? false,
      xmux: readMux(own.xmux, context),
    }
  },
})

const fixed = (value: number): XhttpRange => ({ from: value, to: value })

/** `extra` stands for everything but these three. */
function reportIdle(input: XhttpInput, { report }: Context): void {
  for (const key of Object.keys(input)) {
    if (['host', 'path', 'mode', 'extra', 'parseXForwardedFor'].includes(key)) continue
    report.warn(
      'CFG035',
      report.at(input, key),
      `"${key}" is ignored because "extra" is there`,
      'write it into "extra"',
    )
  }
}

/** Host may stand among the headers, though Xray refuses it there. */
function readHeaders(input: XhttpInput, own: XhttpFields, { report }: Context) {
  const named = Object.entries(own.headers ?? {})
  const isHost = ([name]: readonly [string, string]): boolean => name.toLowerCase() === 'host'
  const written = named.find(isHost)?.[1] ?? ''
  const place = () => (input.host ? report.at(input, 'host') : report.at(own, 'headers'))
  const host = readRequestHost(input.host || written, place, report)
  const hint = 'leave out line ends and what is not ASCII'
  const headers = Object.fromEntries(named.filter((entry) => !isHost(entry)))
  for (const [name, value] of Object.entries(headers)) {
    if (/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(name) && /^[\t -~\u0080-\u00ff]*$/.test(value)) continue
    report.error(
      'CFG022',
      report.at(own, 'headers'),
      `${JSON.stringify(shorten(name))} cannot be sent as a header`,
      hint,
    )
  }
  return { host, headers }
}

const none = fixed(0)
const ranges = ['maxConcurrency', 'maxConnections', 'cMaxReuseTimes', 'hMaxRequestTimes', 'hMaxReusableSecs'] as const

/** With nothing written Xray has limits of its own. */
function readMux(written: XhttpFields['xmux'], context: Context): XhttpMux {
  const { report } = context
  const input = written ?? {}
  const [maxConcurrency, maxConnections, cMaxReuseTimes, hMaxRequestTimes, hMaxReusableSecs] = ranges.map((key) =>
    readRange(input, key, none, context),
  ) as [XhttpRange, XhttpRange, XhttpRange, XhttpRange, XhttpRange]
  if (maxConcurrency.to > 0 && maxConnections.to > 0) {
    const message = '"maxConnections" and "maxConcurrency" cannot be used together'
    report.error('CFG035', report.at(input, 'maxConnections'), message, 'leave one of them out')
  }
  const period = input.hKeepAlivePeriod ?? 0
  const keepAliveMs = period < 0 ? 0 : (period || 45) * 1000
  const read = { maxConcurrency, maxConnections, cMaxReuseTimes, hMaxRequestTimes, hMaxReusableSecs, keepAliveMs }
  if (period !== 0 || ranges.some((key) => read[key].to > 0)) return read
  return {
    ...read,
    maxConnections: fixed(3),
    hMaxRequestTimes: { from: 600, to: 900 },
    hMaxReusableSecs: { from: 1_800, to: 3_000 },
  }
}
