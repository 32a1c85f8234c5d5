/** SOCKS in the messages of the gRPC API. */
import type { Typed } from '../../messages/fields.ts'
import { serversOf } from '../../messages/upstream.ts'
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

export const socksOutboundJson = ({ fields }: Typed): object => ({
  servers: serversOf(fields.messages('server'), 'proxy.socks.Account'),
  ...given({ version: wordOf(fields, 'version', ['', '4', '4a']), delayAuthWrite: fields.flag('delay_auth_write') }),
})
