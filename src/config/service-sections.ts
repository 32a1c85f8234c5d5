/** `stats` and `api`: checked, not applied yet. */
import { z } from 'zod'
import type { Context } from './context.ts'
import { oneOf } from './expected.ts'
import { object, text } from './fields.ts'
import { shorten } from './report.ts'
import { didYouMean } from './suggest.ts'

export const statsSchema = object({}).describe('Switches counters on. Checked, not applied yet.')

export const apiSchema = object({
  tag: text('Tag of the outbound that serves the API.'),
  services: z.array(z.string()).describe('What the API offers.'),
  listen: text('Address and port of its own.'),
}).describe('Remote control by gRPC. Checked, not applied yet.')

const services = [
  'HandlerService',
  'LoggerService',
  'StatsService',
  'RoutingService',
  'ObservatoryService',
  'ReflectionService',
] as const

export function checkStats(input: object | undefined, { report }: Context): void {
  if (input)
    report.notApplied('stats', report.at(input), 'is checked but not applied in this version: nothing is counted')
}

export function checkApi(input: z.output<typeof apiSchema> | undefined, { report }: Context): void {
  if (!input) return
  if (!input.tag && (input.tag === '' || !report.wrote(input, 'tag'))) {
    report.error(
      'CFG024',
      report.at(input, 'tag'),
      '"api" has no "tag"; rules lead to the API by it',
      'write "tag": "api"',
    )
  }
  const names = input.services ?? []
  for (const [i, name] of names.entries()) {
    if (services.some((service) => service.toLowerCase() === name.toLowerCase())) continue
    const message = `unknown service ${JSON.stringify(shorten(name))}; it is ignored; expected ${oneOf(services)}`
    report.warn('CFG026', report.at(names, i), message, didYouMean(name, services))
  }
  report.notApplied('api', report.at(input), 'is checked but not applied in this version: there is no API')
}
