/** HTTP inbound in V2Ray's and Xray's JSON. */
import { accountFields, readAccounts } from '../../config/accounts.ts'
import { flag, object, oldTimeout, userLevel } from '../../config/fields.ts'
import { defineInbound } from '../../config/kind.ts'

const schema = object({
  ...accountFields,
  allowTransparent: flag('Also serve requests without a full URL, by their Host header. Default: false.'),
  userLevel,
  timeout: oldTimeout,
})

export const httpInbound = defineInbound({
  kind: 'http',
  aliases: [],
  description: 'HTTP proxy: CONNECT and plain requests',
  schema,
  open: (settings) => settings.accounts.length === 0,
  build: (input, context) => ({
    accounts: readAccounts(input, context),
    allowTransparent: input.allowTransparent ?? false,
    level: input.userLevel ?? 0,
  }),
})
