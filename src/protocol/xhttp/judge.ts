import type { RequestHead } from '../http/head.ts'
import { canonicalName, valuesOf } from '../http/headers.ts'
import type { Mode, Place, Shape } from './model.ts'
import { wrongPadding } from './padding.ts'
import { cookieOf, queryOf, queryValue } from './words.ts'

/** What a request is for. */
export type Verdict =
  /** The answer is the stream downwards of a session. */
  | { readonly kind: 'down'; readonly id: string }
  /** The body is the stream upwards of a session. */
  | { readonly kind: 'up'; readonly id: string }
  /** A numbered piece of the stream upwards. */
  | { readonly kind: 'post'; readonly id: string; readonly seq: number }
  /** Body and answer are a stream of their own. */
  | { readonly kind: 'one' }
  /** A browser asks whether it may. */
  | { readonly kind: 'preflight' }
  /** From a client of xhttp that is set up otherwise. */
  | { readonly kind: 'mismatch'; readonly status: 400 | 405 | 500; readonly reason: string }
  /** Not from a client of xhttp; `elsewhere`: nor does it ask for what such a client would. */
  | { readonly kind: 'stranger'; readonly reason: string; readonly elsewhere: boolean }

/** Session ids of more letters are nobody's. */
const idMax = 256

/** Where a request is for. */
export interface Asked {
  /** Decoded, without a query. */
  readonly path: string
  /** Why its host is none of ours. */
  readonly wrongHost?: string | undefined
}

/** What `head` asks of a server with these settings. */
export function judge(head: RequestHead, { path, wrongHost }: Asked, shape: Shape): Verdict {
  const place = wrongHost ?? (path.startsWith(shape.base) ? undefined : `the path here is ${shape.base}`)
  // With the right padding it is a client of ours with a mistake in its settings.
  if (place) return { kind: 'stranger', reason: place, elsewhere: wrongPadding(head, shape.padding) !== undefined }
  const { id, seq } = takeIds(head, path.slice(shape.base.length), shape)
  if (isPreflight(head) && id !== '') return { kind: 'preflight' }
  const wrong = wrongPadding(head, shape.padding)
  if (wrong) return { kind: 'stranger', reason: wrong, elsewhere: path === shape.base }
  if (id.length > idMax) return mismatch('its session id is too long')
  const up = head.method !== 'GET' || seq !== ''
  if (id === '') {
    if (head.method === 'GET' && seq === '') return { kind: 'stranger', reason: 'it names no session', elsewhere: true }
    return allowed(shape.mode, 'stream-one', { kind: 'one' })
  }
  if (!up) return { kind: 'down', id }
  if (seq === '') return allowed(shape.mode, 'stream-up', { kind: 'up', id })
  if (!/^\d{1,15}$/.test(seq)) return mismatch('the number of an upload is none', 500)
  return allowed(shape.mode, 'packet-up', { kind: 'post', id, seq: Number(seq) })
}

const mismatch = (reason: string, status: 400 | 405 | 500 = 400): Verdict => ({ kind: 'mismatch', status, reason })

/** A server for stream-up takes stream-one too, as Xray's does. */
function allowed(mode: Mode, asked: Mode, verdict: Verdict): Verdict {
  if (mode === 'auto' || mode === asked || (mode === 'stream-up' && asked === 'stream-one')) return verdict
  return mismatch(`the client uses mode ${asked}, and the mode here is ${mode}`)
}

const isPreflight = ({ method, headers }: RequestHead): boolean =>
  method === 'OPTIONS' &&
  ['Origin', 'Access-Control-Request-Method'].every((name) => valuesOf(headers, name).length > 0)

/** Session id and number; `''` for what is not there. */
function takeIds(head: RequestHead, below: string, { session, seq }: Shape): { id: string; seq: string } {
  const parts = below.split('/')
  const take = ({ at, key }: Place): string => {
    if (at === 'path') return parts.shift() ?? ''
    if (at === 'query') return queryValue(queryOf(head.target), key)
    if (at === 'cookie') return cookieOf(head.headers, key) ?? ''
    return valuesOf(head.headers, canonicalName(key))[0] ?? ''
  }
  const id = take(session)
  return { id, seq: take(seq) }
}
