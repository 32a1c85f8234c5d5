import { equalBytes } from '../../crypto/hash.ts'
import { base64 } from '../wire/base64.ts'
import type { RequestHead } from './head.ts'
import { valuesOf } from './headers.ts'
import { bytesOf } from './text.ts'

export interface Login {
  readonly user: string
  readonly pass: string
}

/** Who may use the proxy (RFC 7617, Basic). Prepared once, asked once per request. */
export class BasicLogins {
  readonly #entries: readonly { login: Login; token: Uint8Array }[]

  constructor(logins: readonly Login[]) {
    const utf8 = new TextEncoder()
    this.#entries = logins.map((login) => {
      return { login, token: bytesOf(base64(utf8.encode(`${login.user}:${login.pass}`))) }
    })
  }

  /** The login that `Proxy-Authorization` names. Looks at every login whole, so that the time tells lengths only. */
  find(head: RequestHead): Login | undefined {
    const [value = '', ...others] = valuesOf(head.headers, 'Proxy-Authorization')
    const given = /^basic +([^ ]+)$/i.exec(value)?.[1]
    if (given === undefined || others.length > 0) return undefined
    const token = bytesOf(given)
    let found: Login | undefined
    for (const entry of this.#entries) {
      if (equalBytes(entry.token, token)) found ??= entry.login
    }
    return found
  }
}
