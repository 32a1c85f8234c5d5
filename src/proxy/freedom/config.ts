/** freedom, Xray's direct: connections leave from this machine. */

import { formatAddress } from '../../core/address.ts'
import type { Context } from '../../schema/context.ts'
import { anyObject, integer, noted, object, oldTimeout, text, userLevel, withoutEffect } from '../../schema/fields.ts'
import { outboundForm } from '../../schema/kind.ts'
import { readStrategy, strategyField } from '../../schema/parts/strategy.ts'
import type { Place } from '../../schema/report.ts'
import { readHost } from '../../schema/values.ts'
import type { FreedomSettings } from '../../settings/model.ts'
import { fragmentSchema, noisesSchema, readFragment, readNoises } from './disturbing-config.ts'
import { finalRulesSchema, readFinalRules } from './final-rules-config.ts'

const schema = object(() => ({
  domainStrategy: strategyField('How names of targets are resolved. Default: AsIs.'),
  targetStrategy: strategyField('Xray’s newer name of domainStrategy; it wins.'),
  redirect: noted(text('Sends every connection there: host:port, :port or host:.'), {
    expected: 'text such as "127.0.0.1:8080" or ":8080"',
  }),
  userLevel: userLevel(),
  timeout: oldTimeout(),
  fragment: fragmentSchema,
  noises: noisesSchema,
  noise: withoutEffect(anyObject('Old form of noises.'), 'Xray has given it up; write "noises": [ { … } ]'),
  proxyProtocol: integer(
    0,
    2,
    'Version of the PROXY protocol header that every connection begins with. Default: 0, none.',
  ),
  finalRules: finalRulesSchema,
}))

export const freedomOutbound = outboundForm({
  kind: 'freedom',
  aliases: ['direct'],
  description: 'Connects to targets directly',
  schema,
  build(input, context) {
    const { report } = context
    const older = readStrategy(input.domainStrategy, report.at(input, 'domainStrategy'), context, 'lenient')
    const newer = readStrategy(input.targetStrategy, report.at(input, 'targetStrategy'), context)
    if (older && newer && older !== newer) {
      const message = '"domainStrategy" is ignored because "targetStrategy" is there'
      report.warn('CFG035', report.at(input, 'domainStrategy'), message)
    }
    const redirect = input.redirect ? readRedirect(input.redirect, report.at(input, 'redirect'), context) : undefined
    if (redirect?.host && redirect.port !== 0) {
      const place = report.at(input, 'redirect')
      const message = `every connection that takes this outbound goes to ${formatAddress(redirect)}, whatever it asked for`
      report.warn('CFG090', place, message)
    }
    const finalRules = readFinalRules(input.finalRules ?? [], context)
    // An empty object asks for nothing; panels write one for "off".
    const fragment =
      input.fragment && Object.keys(input.fragment).length > 0 ? readFragment(input.fragment, context) : undefined
    const noises = readNoises(input.noises ?? [], context)
    return {
      domainStrategy: newer ?? older ?? 'AsIs',
      ...(redirect && { redirect }),
      ...(input.proxyProtocol && { proxyProtocol: input.proxyProtocol === 1 ? (1 as const) : (2 as const) }),
      ...(fragment && { fragment }),
      ...(noises.length > 0 && { noises }),
      ...(finalRules && { finalRules }),
      level: input.userLevel ?? 0,
    }
  },
})

function readRedirect(value: string, place: Place, context: Context): FreedomSettings['redirect'] {
  const match = /^(.*):(\d{0,5})$/.exec(value.trim())
  const port = Number(match?.[2] || 0)
  if (!match || port > 65535 || (match[1]!.includes(':') && !match[1]!.startsWith('['))) {
    const message = `found ${JSON.stringify(value.slice(0, 40))}, expected "host:port" or ":port"`
    context.report.error(
      'CFG028',
      place,
      message,
      value.includes(':') ? 'write IPv6 addresses in brackets: "[::1]:8080"' : undefined,
    )
    return undefined
  }
  const host = match[1] === '' ? '' : readHost(match[1]!, place, context)
  if (host === undefined) return undefined
  return { host: host === '0.0.0.0' || host === '::' ? '' : host, port }
}
