import type { Fields, Typed } from '../fields.ts'
import { invalid, unavailable } from '../status.ts'
import { given, hostOf, wordOf } from './values.ts'

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

export function vmessInboundJson({ fields }: Typed): object {
  const byDefault = fields.message('default')
  const to = fields.message('detour')?.text('to')
  return {
    clients: fields.messages('user').map((user) => {
      const { security: _ofClients, alterId, ...rest } = userJson(user)
      return { ...given(rest), alterId }
    }),
    ...(byDefault && { default: { alterId: byDefault.number('alter_id'), level: byDefault.number('level') } }),
    ...given({ detour: to && { to }, disableInsecureEncryption: fields.flag('secure_encryption_only') }),
  }
}

export function vmessOutboundJson({ fields }: Typed): object {
  const servers = fields.messages('Receiver')
  return {
    vnext: servers.map((server) => ({
      address: hostOf(server.message('address')),
      port: server.number('port'),
      users: server.messages('user').map((user) => {
        const { alterId, ...rest } = userJson(user)
        return { ...given(rest), alterId }
      }),
    })),
  }
}
