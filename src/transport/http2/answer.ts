import { ProxyError } from '../../core/errors.ts'
import type { Answer, ClientStream } from './model.ts'

export interface Asked {
  /** For messages. */
  readonly protocol: string
  readonly path: string
  readonly host: string
}

/** What is wrong with an answer of status 200, with what to look at; undefined: nothing. */
export type CheckAnswer = (answer: Answer) => { readonly text: string; readonly hint?: string } | undefined

/** Breaks the stream with UPGRADE_FAILED when the server answers that it is not for it. */
export function failWhenRefused(
  { conn, answer }: ClientStream,
  { protocol, path, host }: Asked,
  check: CheckAnswer = () => undefined,
): void {
  answer.then(
    (answer) => {
      const wrong = answer.status === 200 ? check(answer) : { text: `the server answered ${answer.status}` }
      if (!wrong) return
      const { text, hint = hintFor(answer.status) } = wrong
      const asked = `${protocol} request for ${path} (Host: ${host}) with ${conn.info.remote || 'the server'}`
      conn.destroy(new ProxyError('UPGRADE_FAILED', `the ${asked} failed: ${text}`, { hint }))
    },
    () => {}, // The stream broke, which shows where it is used.
  )
}

function hintFor(status: number): string {
  if (status === 404) return 'are path, host and method those of the server, and does the host lead to it?'
  if (status >= 500) return 'a web server in front could not reach the proxy behind it'
  return 'are path, host and transport those of the server?'
}
