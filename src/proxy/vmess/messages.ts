/** VMess in the messages of the gRPC API. */
import type { Typed } from '../../messages/fields.ts'
import { given, hostOf } from '../../messages/values.ts'
import { userJson } from '../../messages/vmess-user.ts'

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
