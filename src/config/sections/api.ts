/** `stats` and `api`: what V2Ray and Xray show and change of a running instance. */
import { z } from 'zod'
import { isLoopback } from '../../core/address.ts'
import type { Context } from '../../schema/context.ts'
import { oneOf } from '../../schema/expected.ts'
import { noted, object, text } from '../../schema/fields.ts'
import { shorten } from '../../schema/report.ts'
import { didYouMean } from '../../schema/suggest.ts'
import type { ApiConfig, ApiService } from '../../settings/model.ts'
import type { ReadInbound } from '../ends/inbound.ts'
import { readEndpoint } from './endpoint.ts'

/** V2Ray counts only with this object in place. Here it changes nothing. */
export const statsSchema = object(() => ({})).describe('Accepted: counters are on with and without it, see policy.')

const served = [
  'HandlerService',
  'LoggerService',
  'ObservatoryService',
  'RoutingService',
  'StatsService',
] as const satisfies readonly ApiService[]
const others = ['ReflectionService'] as const

export const apiSchema = object(() => ({
  tag: text('Tag under which rules lead to the API. Required.'),
  services: z
    .array(z.string().meta({ examples: [...served] }))
    .describe('What the API offers: HandlerService, LoggerService, ObservatoryService, RoutingService, StatsService.'),
  listen: noted(text('Address and port of its own, such as 127.0.0.1:8080, or path of a unix socket.'), {
    expected: 'an address and a port in double quotes',
  }),
})).describe('Remote control by gRPC.')

type ApiInput = z.output<typeof apiSchema>

/** The API, or undefined without one and after an error. Rules lead `inboundTags` to it. */
export function buildApi(
  input: ApiInput | undefined,
  inboundTags: readonly string[],
  inbounds: readonly ReadInbound[],
  context: Context,
): ApiConfig | undefined {
  if (!input) return undefined
  const { report } = context
  if (!input.tag && (input.tag === '' || !report.wrote(input, 'tag'))) {
    const message = '"api" has no "tag"; rules lead to the API by it'
    report.error('CFG024', report.at(input, 'tag'), message, 'write "tag": "api"')
  }
  const services = readServices(input, context)
  const place = report.at(input, 'listen')
  const listen = input.listen ? readEndpoint(input.listen, place, context) : undefined
  if (listen && !isLoopback(listen)) {
    const message = 'the API asks for no password, and other machines can reach it: anybody there controls this server'
    report.warn('CFG140', place, message, `write "listen": "127.0.0.1:${listen.port}"`)
  }
  const leading = inbounds.filter(({ tag }) => tag !== '' && inboundTags.includes(tag))
  for (const inbound of leading) warnOfOpen(inbound, context)
  const silent = input.listen === '' || !report.wrote(input, 'listen')
  if (silent && leading.length === 0) {
    const rule = `a rule { "inboundTag": [ "…" ], "outboundTag": ${JSON.stringify(shorten(input.tag ?? 'api'))} }`
    const hint = `write "listen": "127.0.0.1:8080" into "api", or ${rule}`
    report.warn(
      'CFG141',
      report.at(input),
      'nothing reaches the API: it has no "listen", and no rule leads to it',
      hint,
    )
  }
  return input.tag ? { tag: input.tag, services, ...(listen && { listen }) } : undefined
}

function readServices(input: ApiInput, { report }: Context): readonly ApiService[] {
  const names = input.services ?? []
  const found = new Set<ApiService>()
  for (const [i, name] of names.entries()) {
    const isName = (service: string) => service.toLowerCase() === name.toLowerCase()
    const service = served.find(isName)
    if (service) {
      found.add(service)
      continue
    }
    const place = report.at(names, i)
    if (others.some(isName)) {
      const message = `${JSON.stringify(name)} is not available in this version; it is left out; there is ${oneOf(served)}`
      report.warn('CFG034', place, message)
      continue
    }
    const message = `unknown service ${JSON.stringify(shorten(name))}; it is ignored; expected ${oneOf(served)}`
    report.warn('CFG026', place, message, didYouMean(name, [...served, ...others]))
  }
  if (found.size === 0) {
    const hint = `write "services": [ ${served.map((service) => JSON.stringify(service)).join(', ')} ]`
    report.warn('CFG141', report.at(input, 'services'), 'the API offers no service', hint)
  }
  return [...found]
}

/** Whoever may use such an inbound speaks to the API, which asks for nothing. */
function warnOfOpen({ owner, config }: ReadInbound, { report }: Context): void {
  if (!config || config.listen.every(({ address }) => isLoopback(address))) return
  const place = report.at(owner, report.wrote(owner, 'listen') ? 'listen' : 'tag')
  const message =
    'this inbound leads to the API, and other machines can reach it: whoever may use it controls this server'
  report.warn('CFG140', place, message, 'write "listen": "127.0.0.1"')
}
