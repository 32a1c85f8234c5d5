import { ProxyError } from '../../core/errors.ts'
import type { Answer, ClientStream } from './model.ts'

export interface Asked {
  /** For messages. */
  readonly protocol: string
  readonly path: string
  readonly host: string
}

/** Breaks the stream with UPGRADE_FAILED when the server answers that it is not for it. `check` says what is wrong with a 200. */
export function failWhenRefused(
  { conn, answer }: ClientStream,
  { protocol, path, host }: Asked,
  check: (answer: Answer) => string | undefined,
): void {
  answer.then(
    (answer) => {
      const wrong = answer.status === 200 ? check(answer) : `the server answered ${answer.status}`
      if (!wrong) return
      const asked = `${protocol} request for ${path} (Host: ${host}) with ${conn.info.remote || 'the server'}`
      conn.destroy(new ProxyError('UPGRADE_FAILED', `the ${asked} failed: ${wrong}`, { hint: hintFor(answer.status) }))
    },
    () => {}, // The stream broke, which shows where it is used.
  )
}

function hintFor(status: number): string {
  if (status === 404) return 'are path, host and method those of the server, and does the host lead to it?'
  if (status >= 500) return 'a web server in front could not reach the proxy behind it'
  return 'are path, host and transport those of the server?'
}
