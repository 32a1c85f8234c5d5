/** HTTP in the messages of the gRPC API. */
import type { Typed } from '../../messages/fields.ts'
import { serversOf } from '../../messages/upstream.ts'
import { accountsOf, given } from '../../messages/values.ts'

export const httpInboundJson = ({ fields }: Typed): object =>
  given({
    accounts: accountsOf(fields),
    allowTransparent: fields.flag('allow_transparent'),
    timeout: fields.number('timeout'),
    userLevel: fields.number('user_level'),
  })

export const httpOutboundJson = ({ fields }: Typed): object => {
  const headers = fields.messages('header').map((header) => [header.text('key'), header.text('value')])
  return {
    servers: serversOf(fields.messages('server'), 'proxy.http.Account'),
    ...given({ h1SkipWaitForReply: fields.flag('h1_skip_wait_for_reply'), headers: Object.fromEntries(headers) }),
  }
}
