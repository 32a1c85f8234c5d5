import { equalBytes } from '../../crypto/hash.ts'

export interface Login {
  readonly user: string
  readonly pass: string
}

/** Who may come in. Prepared once, asked once per connection. */
export class Logins {
  readonly #entries: readonly { login: Login; user: Uint8Array; pass: Uint8Array }[]

  constructor(logins: readonly Login[]) {
    const utf8 = new TextEncoder()
    this.#entries = logins.map((login) => ({
      login,
      user: utf8.encode(login.user),
      pass: utf8.encode(login.pass),
    }))
  }

  /** The login with this name and password. Looks at every login whole, so that the time tells lengths only. */
  find(user: Uint8Array, pass: Uint8Array): Login | undefined {
    let found: Login | undefined
    for (const entry of this.#entries) {
      const rightUser = equalBytes(entry.user, user)
      const rightPass = equalBytes(entry.pass, pass)
      if (rightUser && rightPass) found ??= entry.login
    }
    return found
  }
}
