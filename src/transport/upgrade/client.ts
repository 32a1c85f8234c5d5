import type { Conn } from '../../core/conn.ts'
import { ProxyError } from '../../core/errors.ts'
import { parseResponseHead, type ResponseHead } from '../../protocol/http/head.ts'
import { HeadCollector } from '../../protocol/http/head-collector.ts'
import { bytesOf } from '../../protocol/http/text.ts'
import { readHead } from './read-head.ts'

export interface UpgradeRequest {
  /** Path and query. */
  readonly target: string
  readonly host: string
  /** Sent as they are; one of the same name, in any case, takes the place of what we would write. */
  readonly headers: Readonly<Record<string, string>>
  /** What belongs to the protocol, in the order in which it is written. */
  readonly own: readonly (readonly [name: string, value: string])[]
}

/** The head of a request. Latin-1 only: the configuration lets nothing else in. */
export function requestBytes({ target, host, headers, own }: UpgradeRequest): Uint8Array {
  const named = new Map<string, readonly [string, string]>([
    ['host', ['Host', host]],
    ['user-agent', ['User-Agent', 'Go-http-client/1.1']],
  ])
  for (const [name, value] of Object.entries(headers)) {
    if (name.toLowerCase() !== 'host') named.set(name.toLowerCase(), [name, value])
  }
  for (const field of own) named.set(field[0].toLowerCase(), field)
  const lines = [...named.values()].map(([name, value]) => `${name}: ${value}\r\n`)
  return bytesOf(`GET ${target} HTTP/1.1\r\n${lines.join('')}\r\n`)
}

/**
 * Reads the answer to an upgrade that was asked of `conn`; gives what came behind it. `check` says what is wrong with a 101.
 * Rejects with UPGRADE_FAILED, or as the connection breaks.
 */
export async function readAnswer(
  conn: Conn,
  what: { readonly target: string; readonly host: string; readonly protocol: string },
  check: (head: ResponseHead) => string | undefined,
): Promise<Uint8Array> {
  const asked = `${what.protocol} upgrade of ${what.target} (Host: ${what.host}) with ${conn.info.remote || 'the server'}`
  const fail = (text: string, hint: string, cause?: unknown): ProxyError =>
    new ProxyError('UPGRADE_FAILED', `the ${asked} failed: ${text}`, { hint, cause })
  let answer: Awaited<ReturnType<typeof readHead>>
  try {
    answer = await readHead(conn, new HeadCollector('response'))
  } catch (error) {
    if ((error as { code?: string }).code !== 'HTTP_BAD_RESPONSE') throw error
    throw fail('the answer is not HTTP', 'is this the right port, and with or without TLS as the server has it?', error)
  }
  if (!answer)
    throw fail(
      'the server closed the connection without an answer',
      'are transport, path and host those of the server?',
    )
  const head = parseResponseHead(answer.head)
  if (head.status !== 101)
    throw fail(`the server answered ${`${head.status} ${head.reason}`.trim()}`, hintFor(head.status))
  const wrong = check(head)
  if (wrong) throw fail(wrong, `is the transport of the server ${what.protocol} too?`)
  return answer.rest
}

function hintFor(status: number): string {
  if (status === 404) return 'is the path that of the server, and does the host lead to it?'
  if (status === 400) return 'is the transport of the server the same? Some servers also refuse "?ed=" in a path'
  if (status >= 500) return 'a web server in front could not reach the proxy behind it'
  if (status >= 300 && status < 400) return 'the web server sends elsewhere; is TLS on as the server expects?'
  return 'are path, host and transport those of the server?'
}
