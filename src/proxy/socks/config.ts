/** SOCKS inbound in V2Ray's and Xray's JSON. `mixed` has the same fields. */
import type { z } from 'zod'
import { parseHost } from '../../core/address.ts'
import type { Context } from '../../schema/context.ts'
import { oneOf } from '../../schema/expected.ts'
import { address, flag, idleOf, idleTimeout, object, openWord, userLevel } from '../../schema/fields.ts'
import { inboundForm } from '../../schema/kind.ts'
import { loginFields, readLogins } from '../../schema/parts/logins.ts'
import { didYouMean } from '../../schema/suggest.ts'
import { readHost } from '../../schema/values.ts'
import type { SocksInboundSettings } from '../../settings/model.ts'

const auths = ['noauth', 'password'] as const

export const socksSchema = object(() => ({
  auth: openWord(auths, 'Whether a password is asked for. Default: noauth.'),
  ...loginFields(),
  udp: flag('Offer UDP ASSOCIATE. Default: false.'),
  ip: address('IP address told to UDP clients. Default: the one that they have connected to.'),
  userLevel: userLevel(),
  timeout: idleTimeout(),
}))

export function buildSocks(input: z.output<typeof socksSchema>, context: Context): SocksInboundSettings {
  const { report } = context
  const word = input.auth?.toLowerCase() || 'noauth'
  const auth = auths.find((candidate) => candidate === word) ?? 'noauth'
  if (auth !== word) {
    const message = `found "${input.auth}", expected ${oneOf(auths)}: no password is asked for`
    report.warn('CFG026', report.at(input, 'auth'), message, didYouMean(word, auths))
  }
  const logins = readLogins(input, context)
  if (auth === 'noauth' && logins.length > 0) {
    const place = report.at(input, input.accounts ? 'accounts' : 'users')
    report.warn('CFG087', place, 'these accounts are not asked for', 'write "auth": "password"')
  }
  if (auth === 'password' && logins.length === 0) {
    report.warn(
      'CFG089',
      report.at(input, 'auth'),
      'a password is asked for but there are no accounts: nobody can use this proxy',
    )
  }
  const ip = !input.ip ? undefined : readHost(input.ip, report.at(input, 'ip'), context)
  if (ip !== undefined) {
    const place = report.at(input, 'ip')
    if (parseHost(ip).kind === 'domain') {
      report.error(
        'CFG028',
        place,
        `"ip" is told to UDP clients as an IP address; found the name ${JSON.stringify(ip)}`,
      )
    }
    if (!input.udp) report.warn('CFG030', place, '"ip" has no effect without "udp": true: it is told to UDP clients')
  }
  return {
    auth,
    logins,
    udp: input.udp ?? false,
    ...(ip !== undefined && { ip }),
    level: input.userLevel ?? 0,
    ...idleOf(input.timeout, input.userLevel),
  }
}

export const socksInbound = inboundForm({
  kind: 'socks',
  aliases: [],
  description: 'SOCKS 4, 4a and 5 proxy',
  schema: socksSchema,
  open: (settings) => settings.auth === 'noauth',
  build: buildSocks,
})
