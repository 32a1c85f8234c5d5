/** Accounts of local proxies. */
import { z } from 'zod'
import type { Login } from '../../settings/model.ts'
import type { Context } from '../context.ts'
import { noted, object, text } from '../fields.ts'

const account = object(() => ({
  user: noted(text('Name.'), { expected: 'a name in double quotes' }),
  pass: noted(text('Password.'), { secret: 'password', expected: 'a password in double quotes' }),
})).describe('A name and a password.')

/** In place of the list there may be a password. */
const accountList = (description: string) => noted(z.array(account).describe(description), { secret: 'password' })

export const loginFields = () => ({
  accounts: accountList('Who may use the proxy.'),
  users: accountList('Xray’s name of accounts.'),
})

interface LoginsInput {
  readonly accounts?: readonly z.output<typeof account>[] | undefined
  readonly users?: readonly z.output<typeof account>[] | undefined
}

/** `accounts`, else `users`. */
export function readLogins(input: LoginsInput & object, { report }: Context): readonly Login[] {
  if (input.accounts && input.users) {
    report.warn('CFG035', report.at(input, 'users'), '"users" is ignored because "accounts" is there')
  }
  return (input.accounts ?? input.users ?? []).map((entry) => {
    for (const key of ['user', 'pass'] as const) {
      if (report.wrote(entry, key)) continue
      report.warn('CFG024', report.at(entry, key), `this account has no "${key}": it is taken as empty`)
    }
    return { user: entry.user ?? '', pass: entry.pass ?? '' }
  })
}
