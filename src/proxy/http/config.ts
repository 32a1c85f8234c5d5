/** HTTP inbound in V2Ray's and Xray's JSON. */

import { flag, object, oldTimeout, userLevel } from '../../schema/fields.ts'
import { inboundForm } from '../../schema/kind.ts'
import { loginFields, readLogins } from '../../schema/parts/logins.ts'

const schema = object(() => ({
  ...loginFields(),
  allowTransparent: flag('Also serve requests without a full URL, by their Host header. Default: false.'),
  userLevel: userLevel(),
  timeout: oldTimeout(),
}))

export const httpInbound = inboundForm({
  kind: 'http',
  aliases: [],
  description: 'HTTP proxy: CONNECT and plain requests',
  schema,
  open: (settings) => settings.logins.length === 0,
  build: (input, context) => ({
    logins: readLogins(input, context),
    allowTransparent: input.allowTransparent ?? false,
    level: input.userLevel ?? 0,
  }),
})
