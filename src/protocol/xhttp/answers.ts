/** Headers of a server's answers. */
import type { RequestHead } from '../http/head.ts'
import { type Header, valuesOf } from '../http/headers.ts'
import type { Draw, Shape } from './model.ts'
import { padAnswer } from './padding.ts'

/** What every answer to a client of xhttp has: leave for scripts of browsers, and a padding. */
export function answerHeaders({ headers }: RequestHead, shape: Shape, random: Draw): readonly Header[] {
  const [origin = '*'] = valuesOf(headers, 'Origin')
  const cookies = [shape.session.at, shape.seq.at, shape.padding.placed?.at, shape.data.at].includes('cookie')
  return [
    { name: 'Access-Control-Allow-Origin', value: origin },
    ...(cookies ? [{ name: 'Access-Control-Allow-Credentials', value: 'true' }] : []),
    ...padAnswer(shape.padding, random),
  ]
}

/** The answer to a browser that asks whether it may. */
export function preflightHeaders({ headers }: RequestHead): readonly Header[] {
  const [method = '*'] = valuesOf(headers, 'Access-Control-Request-Method')
  const [names = '*'] = valuesOf(headers, 'Access-Control-Request-Headers')
  return [
    { name: 'Access-Control-Allow-Methods', value: method },
    { name: 'Access-Control-Allow-Headers', value: names },
  ]
}

/** Keeps web servers and caches in between from holding the stream back. `events`: it calls itself one of server-sent events. */
export const streamHeaders = (events: boolean): readonly Header[] => [
  { name: 'Cache-Control', value: 'no-store' },
  ...(events ? [{ name: 'Content-Type', value: 'text/event-stream' }] : []),
  { name: 'X-Accel-Buffering', value: 'no' },
]
