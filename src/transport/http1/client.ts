/** Requests of ours over HTTP/1.1. */
import type { Conn } from '../../core/conn.ts'
import { LayeredInfo } from '../../core/streams/layered-info.ts'
import { BodyReader } from '../../protocol/http/body-reader.ts'
import { responseFraming } from '../../protocol/http/framing.ts'
import { parseResponseHead, type ResponseHead } from '../../protocol/http/head.ts'
import { HeadCollector } from '../../protocol/http/head-collector.ts'
import type { Header } from '../../protocol/http/headers.ts'
import { bytesOf } from '../../protocol/http/text.ts'
import { type ReadHead, readHead } from '../upgrade/read-head.ts'
import { type Incoming, MessageConn } from './message-conn.ts'

export interface Http1Request {
  readonly method: string
  readonly target: string
  readonly host: string
  readonly headers: readonly Header[]
}

/** The head of a request; `body`: what it says of its body. Latin-1 only. */
export function requestHead({ method, target, host, headers }: Http1Request, body: readonly Header[]): Uint8Array {
  const lines = [{ name: 'Host', value: host }, ...body, ...headers].map(({ name, value }) => `${name}: ${value}\r\n`)
  return bytesOf(`${method} ${target} HTTP/1.1\r\n${lines.join('')}\r\n`)
}

/** Reads the head of an answer, behind any that only say that it is coming. Null: the server hung up. */
export async function readAnswerHead(
  carrier: Conn,
): Promise<{ readonly head: ResponseHead; readonly rest: Uint8Array } | null> {
  let rest: Uint8Array | undefined
  for (;;) {
    const read: ReadHead | null = await readHead(carrier, new HeadCollector('response'), rest)
    if (!read) return null
    const head = parseResponseHead(read.head)
    if (head.status >= 200 || head.status === 101) return { head, rest: read.rest }
    rest = read.rest
  }
}

export interface OpenOptions {
  /** Name of the layer. */
  readonly layer: string
  /** Whether what is written to the connection is the body. */
  readonly upload: boolean
  /** Makes an error of an answer that is not a good one, or of none. */
  readonly wrong: (head: ResponseHead | undefined) => Error | undefined
}

/** Sends a request on a carrier of its own. Nothing waits for the answer: one that is wrong ends the connection. */
export function openMessage(carrier: Conn, request: Http1Request, { layer, upload, wrong }: OpenOptions): MessageConn {
  const body = upload ? [{ name: 'Transfer-Encoding', value: 'chunked' }] : []
  const head = requestHead({ ...request, headers: [...request.headers, { name: 'Connection', value: 'close' }] }, body)
  carrier.write(head, () => {})?.catch(() => {}) // shows where it is read
  const incoming = async (): Promise<Incoming> => {
    const answer = await readAnswerHead(carrier)
    const error = wrong(answer?.head)
    if (error || !answer) throw error
    return { reader: new BodyReader('response', responseFraming(answer.head, request.method)), rest: answer.rest }
  }
  return new MessageConn(carrier, {
    info: new LayeredInfo(carrier.info, layer, 'none'),
    incoming: incoming(),
    outgoing: upload ? 'chunked' : 'none',
  })
}
