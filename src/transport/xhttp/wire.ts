import type { Conn } from '../../core/conn.ts'
import type { DialOptions } from '../../core/dialer.ts'
import { ProxyError } from '../../core/errors.ts'
import type { Lifetime } from '../../core/lifetime.ts'
import type { Asking } from '../../protocol/xhttp/asking.ts'
import type { Hear } from './uploader.ts'

/** How the requests of one connection reach a server. */
export interface Wire {
  /** Sends a request and makes a stream of its body, if it has one, and the answer. Nothing waits for the answer. */
  stream(asking: Asking, upload: boolean, options: DialOptions): Promise<Conn>
  /** Sends a request with a whole body; gives the status of the answer. It may come to the server twice. */
  post(asking: Asking, body: readonly Uint8Array[], hear: Hear, until: Lifetime): Promise<number>
  /** The connection is over. */
  done(): void
}

/** The error of an answer that is none, or not 200. `what`: the request, for people. */
export function wrongAnswer(status: number | undefined, what: string): ProxyError | undefined {
  if (status === 200) return undefined
  const said =
    status === undefined ? 'the server closed the connection without an answer' : `the server answered ${status}`
  return new ProxyError('UPGRADE_FAILED', `${what} failed: ${said}`, { hint: hintFor(status) })
}

function hintFor(status: number | undefined): string {
  if (status === 404) return 'are path and host those of the server, and xPaddingBytes in its range?'
  if (status === 400) return 'is the mode that of the server, or "auto" there?'
  if (status === 413) return 'scMaxEachPostBytes must be no more than on the server, and on web servers in front'
  if (status === 409) return 'the session is in use; does something in between repeat requests?'
  return 'are path, host, mode and TLS those of the server?'
}
