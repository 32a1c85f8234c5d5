/** A user of VMess in the messages of the gRPC API. */
import type { Fields } from './fields.ts'
import { invalid, unavailable } from './status.ts'
import { wordOf } from './values.ts'

const securities = ['auto', 'aes-128-cfb', 'auto', 'aes-128-gcm', 'chacha20-poly1305', 'none', 'zero'] as const

/** A protocol.User with a VMess account. */
export interface UserJson {
  readonly id: string
  readonly alterId: number
  readonly level: number
  readonly email: string
  readonly experiments: string
  /** Encryption of a client; a server leaves it to its clients. */
  readonly security: string
}

export function userJson(user: Fields): UserJson {
  const account = user.mustHaveTyped('account')
  if (account.name !== 'proxy.vmess.Account') throw unavailable(`"${account.type}" as the account of a vmess user`)
  const { fields } = account
  const security = fields.message('security_settings')
  const id = fields.text('id')
  if (id === '') throw invalid(`${account.type} has no id`)
  return {
    id,
    alterId: fields.number('alter_id'),
    level: user.number('level'),
    email: user.text('email'),
    experiments: fields.text('tests_enabled'),
    security: security ? wordOf(security, 'type', securities) : 'auto',
  }
}
