/** freedom, Xray's direct: connections leave from this machine. */

import { z } from 'zod'
import type { Context } from '../../config/context.ts'
import {
  anyObject,
  integer,
  noted,
  object,
  oldTimeout,
  refused,
  text,
  userLevel,
  withoutEffect,
  word,
} from '../../config/fields.ts'
import { defineOutbound } from '../../config/kind.ts'
import type { FreedomSettings } from '../../config/model.ts'
import type { Place } from '../../config/report.ts'
import { readHost } from '../../config/values.ts'

const strategies = [
  'AsIs',
  'UseIP',
  'UseIPv4',
  'UseIPv6',
  'UseIPv4v6',
  'UseIPv6v4',
  'ForceIP',
  'ForceIPv4',
  'ForceIPv6',
  'ForceIPv4v6',
  'ForceIPv6v4',
] as const

const schema = object({
  domainStrategy: word(strategies, 'How names of targets are resolved. Default: AsIs.'),
  targetStrategy: word(strategies, 'Xray’s newer name of domainStrategy; it wins.'),
  redirect: noted(text('Sends every connection there: host:port, :port or host:.'), {
    expected: 'text such as "127.0.0.1:8080" or ":8080"',
  }),
  userLevel,
  timeout: oldTimeout,
  fragment: withoutEffect(anyObject('Cuts the first TLS record.'), 'first writes are not cut into pieces'),
  noises: withoutEffect(z.array(z.unknown()).describe('Datagrams before the first one.'), 'no noise is sent'),
  noise: withoutEffect(anyObject('One noise.'), 'no noise is sent'),
  proxyProtocol: refused(
    integer(0, 2, 'PROXY protocol header towards the target.'),
    'the PROXY protocol is not available in this version, and the target waits for it',
    {
      code: 'CFG033',
      unless: [0],
    },
  ),
  finalRules: refused(
    z.array(z.unknown()).describe('Targets to refuse.'),
    'these rules are not available in this version, and without them refused targets would be reached',
    { code: 'CFG033' },
  ),
})

export const freedomOutbound = defineOutbound({
  kind: 'freedom',
  aliases: ['direct'],
  description: 'Connects to targets directly',
  schema,
  build(input, context) {
    const { report } = context
    if (input.domainStrategy && input.targetStrategy && input.domainStrategy !== input.targetStrategy) {
      report.warn(
        'CFG035',
        report.at(input, 'domainStrategy'),
        '"domainStrategy" is ignored because "targetStrategy" is there',
      )
    }
    const redirect = input.redirect ? readRedirect(input.redirect, report.at(input, 'redirect'), context) : undefined
    return {
      domainStrategy: input.targetStrategy ?? input.domainStrategy ?? 'AsIs',
      ...(redirect && { redirect }),
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
