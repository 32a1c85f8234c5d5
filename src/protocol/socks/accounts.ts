import { equalBytes } from '../../crypto/hash.ts'

export interface Account {
  readonly user: string
  readonly pass: string
}

/** Who may come in. Prepared once, asked once per connection. */
export class Accounts {
  readonly #entries: readonly { account: Account; user: Uint8Array; pass: Uint8Array }[]

  constructor(accounts: readonly Account[]) {
    const utf8 = new TextEncoder()
    this.#entries = accounts.map((account) => ({
      account,
      user: utf8.encode(account.user),
      pass: utf8.encode(account.pass),
    }))
  }

  /** The account with this name and password. Looks at every account whole, so that the time tells lengths only. */
  find(user: Uint8Array, pass: Uint8Array): Account | undefined {
    let found: Account | undefined
    for (const entry of this.#entries) {
      const rightUser = equalBytes(entry.user, user)
      const rightPass = equalBytes(entry.pass, pass)
      if (rightUser && rightPass) found ??= entry.account
    }
    return found
  }
}
