/** HTTP in the messages of the gRPC API. */
import type { Typed } from '../../messages/fields.ts'
import { accountsOf, given } from '../../messages/values.ts'

export const httpInboundJson = ({ fields }: Typed): object =>
  given({
    accounts: accountsOf(fields),
    allowTransparent: fields.flag('allow_transparent'),
    timeout: fields.number('timeout'),
    userLevel: fields.number('user_level'),
  })
