/** The settings that show on the wire. */
import { escapeQuery } from '../../protocol/http/path.ts'
import type { Context } from '../../schema/context.ts'
import { shorten } from '../../schema/report.ts'
import { didYouMean } from '../../schema/suggest.ts'
import type { XhttpPlace, XhttpRange, XhttpShape } from '../../settings/xhttp.ts'
import { cleanPath, unsendable } from '../upgrade/config.ts'
import type { XhttpFields, XhttpInput } from './fields-config.ts'
import { readPositive, readRange } from './range-config.ts'

const modes = ['auto', 'packet-up', 'stream-up', 'stream-one'] as const
const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/

/** `own`: where all stands but path and mode. */
export function readShape(input: XhttpInput, own: XhttpFields, context: Context): XhttpShape {
  const mode = readMode(input, context)
  const session = placeOf(own.sessionIDPlacement ?? own.sessionPlacement, own.sessionIDKey ?? own.sessionKey, 'session')
  const seq = placeOf(own.seqPlacement, own.seqKey, 'seq')
  for (const [key, { key: name }] of [
    ['sessionIDKey', session],
    ['seqKey', seq],
  ] as const)
    checkName(own, key, name, context)
  const [base, query] = readPath(input, session.at === 'path' || seq.at === 'path', context)
  return {
    base,
    query,
    mode,
    session,
    seq,
    data: readData(own, mode, context),
    padding: readPadding(own, context),
    method: readMethod(own, mode, context),
  }
}

function readMode(input: XhttpInput, { report }: Context): XhttpShape['mode'] {
  const word = (input.mode ?? '').trim()
  const known = modes.find((mode) => mode === word || word === '')
  if (known) return known
  const message = `unknown mode ${JSON.stringify(shorten(word))}, expected "auto", "packet-up", "stream-up" or "stream-one"`
  report.error('CFG025', report.at(input, 'mode'), message, didYouMean(word, [...modes]))
  return 'auto'
}

const placeOf = (at: XhttpPlace['at'] = 'path', key: string | undefined, word: 'session' | 'seq'): XhttpPlace => ({
  at,
  key: at === 'path' ? '' : key || (at === 'header' ? `X-${word === 'seq' ? 'Seq' : 'Session'}` : `x_${word}`),
})

function readPath(input: XhttpInput, slash: boolean, { report }: Context): [base: string, query: string] {
  const whole = input.path ?? ''
  if (unsendable.test(whole)) {
    const message = `the path ${JSON.stringify(shorten(whole))} cannot be sent`
    report.error('CFG022', report.at(input, 'path'), message, cleanPath)
  }
  const mark = whole.indexOf('?')
  const path = mark < 0 ? whole : whole.slice(0, mark)
  const base = path.startsWith('/') ? path : `/${path}`
  return [slash && !base.endsWith('/') ? `${base}/` : base, mark < 0 ? '' : escapeQuery(whole.slice(mark + 1))]
}

function readData(own: XhttpFields, mode: XhttpShape['mode'], context: Context): XhttpShape['data'] {
  const { report } = context
  const at = own.uplinkDataPlacement ?? 'auto'
  if ((at === 'header' || at === 'cookie') && mode !== 'packet-up') {
    const message = `"uplinkDataPlacement" can be "${at}" only in mode packet-up`
    report.error('CFG025', report.at(own, 'uplinkDataPlacement'), message, 'write "mode": "packet-up"')
  }
  const fallback = at === 'cookie' ? { from: 2_048, to: 3_072 } : { from: 3_000, to: 4_000 }
  const { from, to } = readRange(own, 'uplinkChunkSize', fallback, context)
  const key = own.uplinkDataKey || (at === 'cookie' ? 'x_data' : 'X-Data')
  checkName(own, 'uplinkDataKey', key, context)
  return { at, key, chunk: { from: Math.max(64, from), to: Math.max(64, to) } }
}

function readPadding(own: XhttpFields, context: Context): XhttpShape['padding'] {
  const bytes: XhttpRange = readPositive(own, 'xPaddingBytes', { from: 100, to: 1_000 }, context)
  if (bytes.to > 16_384) {
    const { report } = context
    report.error(
      'CFG023',
      report.at(own, 'xPaddingBytes'),
      '"xPaddingBytes" is more than web servers take; expected 16384 at most',
    )
  }
  if (!own.xPaddingObfsMode) return { bytes, method: 'repeat-x' }
  const placed = {
    at: own.xPaddingPlacement ?? 'queryInHeader',
    key: own.xPaddingKey || 'x_padding',
    header: own.xPaddingHeader || 'X-Padding',
  } as const
  checkName(own, 'xPaddingKey', placed.key, context)
  checkName(own, 'xPaddingHeader', placed.header, context)
  return { bytes, placed, method: own.xPaddingMethod ?? 'repeat-x' }
}

function readMethod(own: XhttpFields, mode: XhttpShape['mode'], context: Context): string {
  const method = (own.uplinkHTTPMethod || 'POST').toUpperCase()
  checkName(own, 'uplinkHTTPMethod', method, context)
  if (method === 'GET' && mode !== 'packet-up') {
    const { report } = context
    const place = report.at(own, 'uplinkHTTPMethod')
    report.error('CFG025', place, '"uplinkHTTPMethod" can be "GET" only in mode packet-up', 'write "mode": "packet-up"')
  }
  return method
}

function checkName(own: XhttpFields, key: keyof XhttpFields, name: string, { report }: Context): void {
  if (name === '' || token.test(name)) return
  const message = `${JSON.stringify(shorten(name))} cannot be a name in a request`
  report.error('CFG022', report.at(own, key), message, 'use letters, digits, - and _')
}
