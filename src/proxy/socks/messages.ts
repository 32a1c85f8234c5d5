/** SOCKS in the messages of the gRPC API. */
import type { Typed } from '../../messages/fields.ts'
import { accountsOf, given, hostOf, wordOf } from '../../messages/values.ts'

export const socksInboundJson = ({ fields }: Typed): object =>
  given({
    auth: wordOf(fields, 'auth_type', ['noauth', 'password']),
    accounts: accountsOf(fields),
    ip: hostOf(fields.message('address')),
    udp: fields.flag('udp_enabled'),
    timeout: fields.number('timeout'),
    userLevel: fields.number('user_level'),
  })
