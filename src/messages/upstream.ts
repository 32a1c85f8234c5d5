/** Proxies and their logins in the messages of the gRPC API. */
import type { Fields } from './fields.ts'
import { unavailable } from './status.ts'
import { given, hostOf } from './values.ts'

/** ServerEndpoints whose users have an account of `account`, as `servers`. */
export const serversOf = (servers: readonly Fields[], account: string): object[] =>
  servers.map((server) =>
    given({
      address: hostOf(server.message('address')),
      port: server.number('port'),
      users: server.messages('user').map((user) => {
        const { name, type, fields } = user.mustHaveTyped('account')
        if (name !== account) throw unavailable(`"${type}" as the account of a proxy`)
        const login = { user: fields.text('username'), pass: fields.text('password') }
        return { ...login, ...given({ level: user.number('level'), email: user.text('email') }) }
      }),
    }),
  )
