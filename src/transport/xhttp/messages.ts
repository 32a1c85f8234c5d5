/** xhttp in the messages of the gRPC API. */
import type { Fields, Typed } from '../../messages/fields.ts'
import { given } from '../../messages/values.ts'

const texts = [
  'host',
  'path',
  'mode',
  'xPaddingKey',
  'xPaddingHeader',
  'xPaddingPlacement',
  'xPaddingMethod',
  'uplinkHTTPMethod',
  'sessionIDPlacement',
  'sessionIDKey',
  'sessionIDTable',
  'seqPlacement',
  'seqKey',
  'uplinkDataPlacement',
  'uplinkDataKey',
]
const flags = ['noGRPCHeader', 'noSSEHeader', 'xPaddingObfsMode']
const numbers = ['scMaxBufferedPosts', 'serverMaxHeaderBytes']
const ranges = [
  'xPaddingBytes',
  'scMaxEachPostBytes',
  'scMinPostsIntervalMs',
  'scStreamUpServerSecs',
  'uplinkChunkSize',
  'sessionIDLength',
]
const muxRanges = ['maxConcurrency', 'maxConnections', 'cMaxReuseTimes', 'hMaxRequestTimes', 'hMaxReusableSecs']

export function xhttpJson({ fields }: Typed): object {
  const xmux = fields.message('xmux')
  return given({
    ...each(texts, (name) => fields.text(name)),
    ...each(flags, (name) => fields.flag(name)),
    ...each(numbers, (name) => Number(fields.number(name))),
    ...each(ranges, (name) => rangeText(fields.message(name))),
    headers: Object.fromEntries(fields.entries('headers')),
    xmux: xmux && {
      ...given(each(muxRanges, (name) => rangeText(xmux.message(name)))),
      ...given({ hKeepAlivePeriod: Number(xmux.number('hKeepAlivePeriod')) }),
    },
  })
}

const each = (names: readonly string[], read: (name: string) => unknown): Record<string, unknown> =>
  Object.fromEntries(names.map((name) => [name, read(name)]))

/** `''` for what says nothing. */
function rangeText(range: Fields | undefined): string {
  const [from, to] = [range?.number('from') ?? 0, range?.number('to') ?? 0]
  return from === 0 && to === 0 ? '' : `${from}-${to}`
}
