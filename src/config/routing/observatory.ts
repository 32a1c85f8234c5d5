/** `observatory` and `burstObservatory`: how outbounds are measured. */
import { z } from 'zod'
import type { Context } from '../../schema/context.ts'
import { flag, integer, object, stringList, text } from '../../schema/fields.ts'
import { type Place, shorten } from '../../schema/report.ts'
import { listOf } from '../../schema/values.ts'
import type { BurstConfig, ObservatoryConfig } from '../../settings/routing.ts'
import { readDuration } from './durations.ts'

const duration = (description: string) => z.union([z.string(), z.int()]).describe(description)

export const observatorySchema = object(() => ({
  subjectSelector: stringList('Beginnings of tags of the outbounds that are measured. Required.'),
  probeURL: text('What is asked for. Default: https://www.google.com/generate_204.'),
  probeInterval: duration('Pause between two probes, such as 10s. Default: 10s.'),
  enableConcurrency: flag('All outbounds at once, then the pause; otherwise a pause after each.'),
})).describe('Measures outbounds one after the other, for balancers.')

export const burstSchema = object(() => ({
  subjectSelector: stringList('Beginnings of tags of the outbounds that are measured. Required.'),
  pingConfig: object(() => ({
    destination: text('What is asked for. Default: https://connectivitycheck.gstatic.com/generate_204.'),
    connectivity: text('What is asked for directly when a probe fails: if that fails too, the probe does not count.'),
    interval: duration('Time that one sample stands for; at least 10s. Default: 1m.'),
    sampling: integer(0, 1000, 'Probes of each outbound in a period of interval × sampling. Default: 10.'),
    timeout: duration('How long an answer may take. Default: 5s.'),
    httpMethod: text('GET or HEAD. Default: HEAD.'),
  })).describe('How it is measured.'),
})).describe('Measures outbounds several times in each period, for balancers.')

export function readObservatory(
  input: z.output<typeof observatorySchema> | undefined,
  context: Context,
): ObservatoryConfig | undefined {
  if (!input) return undefined
  const { report } = context
  const intervalMs = readDuration(input.probeInterval, report.at(input, 'probeInterval'), 10_000, context)
  return {
    selector: selectorOf(input, context),
    url: urlOf(input.probeURL || 'https://www.google.com/generate_204', report.at(input, 'probeURL'), context),
    intervalMs: intervalMs > 0 ? intervalMs : 10_000,
    concurrent: input.enableConcurrency ?? false,
  }
}

export function readBurst(input: z.output<typeof burstSchema> | undefined, context: Context): BurstConfig | undefined {
  if (!input) return undefined
  const { report } = context
  const ping = input.pingConfig
  const at = (key: string) => (ping ? report.at(ping, key) : report.at(input))
  const destination = ping?.destination || 'https://connectivitycheck.gstatic.com/generate_204'
  const method = (ping?.httpMethod || 'HEAD').toUpperCase()
  if (method !== 'GET' && method !== 'HEAD') {
    report.error('CFG025', at('httpMethod'), `found ${JSON.stringify(shorten(method))}, expected "GET" or "HEAD"`)
  }
  const intervalMs = readDuration(ping?.interval, at('interval'), 60_000, context)
  return {
    selector: selectorOf(input, context),
    url: urlOf(destination, at('destination'), context),
    connectivity: ping?.connectivity ? urlOf(ping.connectivity, at('connectivity'), context) : '',
    intervalMs: Math.max(10_000, intervalMs || 60_000),
    sampling: ping?.sampling || 10,
    timeoutMs: readDuration(ping?.timeout, at('timeout'), 5_000, context) || 5_000,
    method,
  }
}

function selectorOf(
  input: { readonly subjectSelector?: readonly string[] | string | undefined },
  { report }: Context,
): readonly string[] {
  const selector = listOf(input.subjectSelector)
  if (selector.length === 0) {
    const message = 'no outbound is measured: there is no "subjectSelector"'
    report.error('CFG024', report.at(input, 'subjectSelector'), message, 'write the beginnings of tags')
  }
  return selector
}

function urlOf(text: string, place: Place, { report }: Context): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url && (url.protocol === 'http:' || url.protocol === 'https:')) return text
  report.error('CFG028', place, `found ${JSON.stringify(shorten(text))}, expected an http:// or https:// address`)
  return text
}
