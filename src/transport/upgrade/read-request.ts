import type { Conn } from '../../core/conn.ts'
import type { Clock } from '../../core/env.ts'
import { isProxyError, type ProxyError } from '../../core/errors.ts'
import { parseRequestHead, type RequestHead } from '../../protocol/http/head.ts'
import { HeadCollector } from '../../protocol/http/head-collector.ts'
import { tokensOf } from '../../protocol/http/headers.ts'
import { BadRequest } from '../../protocol/http/problems.ts'
import { within } from '../passage.ts'
import { firstLineWatch, withoutOddLines } from '../website/request-rules.ts'
import { readHead } from './read-head.ts'

const nothing = new Uint8Array(0)

/** A request, with what came behind it. */
export interface Understood {
  readonly head: RequestHead
  readonly rest: Uint8Array
  readonly fault?: undefined
}

/** What came in its place. */
export interface Unread {
  readonly head?: undefined
  readonly fault: BadRequest
  readonly bytes: Uint8Array
  readonly rest: Uint8Array
}

export type Read = Understood | Unread

export interface ReadRequestOptions {
  readonly clock: Clock
  /** Time for a whole head. */
  readonly ms: number
  /** Bytes of a head. */
  readonly headMax: number
  /** What was read already, owned. */
  readonly rest?: Uint8Array | undefined
  /** What is read is put here as well. */
  readonly seen?: Uint8Array[] | undefined
  /** Told when the time is up. */
  readonly late?: ((error: ProxyError) => void) | undefined
}

/** Reads the head of a request. Null: there is nobody, or nobody any more. */
export async function readRequest(carrier: Conn, options: ReadRequestOptions): Promise<Read | null> {
  const { clock, ms, headMax, rest, seen, late } = options
  const collector = new HeadCollector('request', headMax)
  const source: Pick<Conn, 'read'> = seen ? { read: () => noted(carrier, seen) } : carrier
  try {
    const head = () => readHead(source, collector, rest, firstLineWatch())
    const read = await within(clock, ms, carrier, 'request', head)
    return read && { head: parse(read.head), rest: read.rest }
  } catch (error) {
    if (error instanceof BadRequest) return { fault: error, bytes: collector.head, rest: nothing }
    // Who came, said nothing of use and went is nobody's fault.
    if (isProxyError(error) && error.code === 'HANDSHAKE_TIMEOUT') late?.(error)
    return null
  }
}

async function noted(carrier: Conn, seen: Uint8Array[]): Promise<Uint8Array | null> {
  const bytes = await carrier.read()
  if (bytes) seen.push(bytes)
  return bytes
}

function parse(head: Uint8Array): RequestHead {
  try {
    return parseRequestHead(head)
  } catch {
    return parseRequestHead(withoutOddLines(head))
  }
}

/** Whether the client keeps the connection for further requests. */
export function wantsMore({ minor, headers }: RequestHead): boolean {
  const wishes = tokensOf(headers, 'Connection')
  return minor === 1 ? !wishes.includes('close') : wishes.includes('keep-alive')
}
