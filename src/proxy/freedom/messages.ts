/** freedom in the messages of the gRPC API. */
import { formatAddress } from '../../core/address.ts'
import { domainStrategies } from '../../core/domain-strategy.ts'
import type { Fields, Typed } from '../../messages/fields.ts'
import { given, hostOf, wordOf } from '../../messages/values.ts'

export const freedomOutboundJson = ({ fields }: Typed): object =>
  given({
    domainStrategy: wordOf(fields, 'domain_strategy', domainStrategies),
    redirect: redirectOf(fields.message('destination_override')?.message('server')),
    proxyProtocol: fields.number('proxy_protocol'),
    timeout: fields.number('timeout'),
    userLevel: fields.number('user_level'),
  })

function redirectOf(server: Fields | undefined): string {
  if (!server) return ''
  return formatAddress({ host: hostOf(server.message('address')), port: server.number('port') })
}
