import type { Conn } from '../../core/conn.ts'
import type { Clock } from '../../core/env.ts'
import { limits } from '../../core/limits.ts'
import { farewell } from '../../core/streams/farewell.ts'
import type { SiteAnswer } from '../../core/website.ts'
import { bytesOf } from '../../protocol/http/text.ts'
import { join } from '../../protocol/wire/join.ts'
import { reasons, type SiteStatus, serverName } from './pages.ts'

export interface Saying {
  /** A further request may come on the connection. */
  readonly keepAlive: boolean
  /** Headers alone, as for HEAD, or the body alone, as for HTTP/0.9; absent: both. */
  readonly only?: 'head' | 'body' | undefined
}

/** Sends an answer over HTTP/1; without `keepAlive` the connection ends with it. Rejects as the connection breaks. */
export async function say(carrier: Conn, clock: Clock, answer: SiteAnswer, how: Saying): Promise<void> {
  const { keepAlive, only } = how
  const head = only === 'body' ? nothing : bytesOf(headOf(answer, keepAlive, clock.now()))
  const { body } = answer
  let last = head
  if (body instanceof Uint8Array) last = only === 'head' ? head : join([head, body])
  else if (body) {
    try {
      await send(carrier, clock, head)
      if (only !== 'head') for await (const chunk of body.chunks()) await send(carrier, clock, chunk)
    } finally {
      body.close()
    }
    last = nothing
  }
  if (!keepAlive) await farewell(carrier, clock, last)
  else if (last.length > 0) await send(carrier, clock, last)
}

const nothing = new Uint8Array(0)

/** nginx names the connection in front of what a filter or a handler has added. */
const added: ReadonlySet<string> = new Set(['ETag', 'Accept-Ranges'])

function headOf({ status, headers }: SiteAnswer, keepAlive: boolean, nowMs: number): string {
  const own = headers.filter(([name]) => !added.has(name))
  const late = headers.filter(([name]) => added.has(name))
  const fields = [
    ['Server', serverName],
    ['Date', new Date(nowMs).toUTCString()],
    ...own,
    ['Connection', keepAlive ? 'keep-alive' : 'close'],
    ...late,
  ]
  const lines = fields.map(([name, value]) => `${name}: ${value}\r\n`).join('')
  return `HTTP/1.1 ${status} ${reasons[status as SiteStatus]}\r\n${lines}\r\n`
}

/** A reader has its time for each part of an answer, as with nginx. */
async function send(carrier: Conn, clock: Clock, bytes: Uint8Array): Promise<void> {
  const cancel = clock.after(limits.siteSendMs, () => carrier.destroy())
  try {
    await carrier.write(bytes, () => {})
  } finally {
    cancel()
  }
}
