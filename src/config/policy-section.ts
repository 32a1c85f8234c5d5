/** `policy`: time limits per level. */
import { z } from 'zod'
import type { Context } from './context.ts'
import { flag, integer, mapOf, object, withoutEffect } from './fields.ts'
import { defaultPolicy, defaultSystemPolicy, type PolicyConfig, type PolicyLevel } from './model.ts'

const seconds = (description: string) => integer(0, 4294967295, description)

const levelSchema = object({
  handshake: seconds('Seconds until a client has said what it wants; that of level 0 applies to all. Default: 60.'),
  connIdle: seconds('Seconds without a byte either way. Default: 300.'),
  uplinkOnly: seconds('Seconds left to the uplink after the downlink ended. Default: 2.'),
  downlinkOnly: seconds('Seconds left to the downlink after the uplink ended. Default: 5.'),
  statsUserUplink: flag('Count bytes of users. Checked, not applied yet.'),
  statsUserDownlink: flag('Count bytes of users. Checked, not applied yet.'),
  statsUserOnline: flag('List addresses of users. Checked, not applied yet.'),
  bufferSize: withoutEffect(z.int().describe('KiB per connection.'), 'buffers are shared between connections here', []),
}).describe('Time limits of a level.')

const systemSchema = object({
  statsInboundUplink: flag('Count bytes. Checked, not applied yet.'),
  statsInboundDownlink: flag('Count bytes. Checked, not applied yet.'),
  statsOutboundUplink: flag('Count bytes. Checked, not applied yet.'),
  statsOutboundDownlink: flag('Count bytes. Checked, not applied yet.'),
  overrideAccessLogDest: withoutEffect(flag('For V2Ray 5.'), 'the access log names the target that was asked for'),
}).describe('Counters of the whole instance.')

export const policySchema = object({
  levels: mapOf(levelSchema, 'Limits by level, a number in quotes.'),
  system: systemSchema,
}).describe('Time limits and counters.')

const counters = ['statsUserUplink', 'statsUserDownlink', 'statsUserOnline'] as const
const systemCounters = [
  'statsInboundUplink',
  'statsInboundDownlink',
  'statsOutboundUplink',
  'statsOutboundDownlink',
] as const

export function buildPolicy(input: z.output<typeof policySchema> | undefined, { report }: Context): PolicyConfig {
  const levels = new Map<number, PolicyLevel>()
  const written = input?.levels ?? {}
  for (const [name, level] of Object.entries(written)) {
    const place = report.at(written, name)
    const number = /^\d{1,10}$/.test(name) ? Number(name) : Number.NaN
    if (!(number <= 4294967295)) {
      report.error(
        'CFG023',
        place,
        `found the level ${JSON.stringify(name.slice(0, 40))}, expected a number from 0 to 4294967295 in quotes`,
      )
      continue
    }
    levels.set(number, {
      handshake: level.handshake ?? defaultPolicy.handshake,
      connIdle: level.connIdle ?? defaultPolicy.connIdle,
      uplinkOnly: level.uplinkOnly ?? defaultPolicy.uplinkOnly,
      downlinkOnly: level.downlinkOnly ?? defaultPolicy.downlinkOnly,
      bufferSize: defaultPolicy.bufferSize,
      statsUserUplink: level.statsUserUplink ?? true,
      statsUserDownlink: level.statsUserDownlink ?? true,
      statsUserOnline: level.statsUserOnline ?? true,
    })
    const counter = counters.find((key) => level[key])
    if (counter) report.notApplied('statistics', report.at(level, counter), notCounted)
  }
  const system = input?.system
  const counter = system && systemCounters.find((key) => system[key])
  if (counter) report.notApplied('statistics', report.at(system, counter), notCounted)
  return {
    levels,
    system: {
      statsInboundUplink: system?.statsInboundUplink ?? defaultSystemPolicy.statsInboundUplink,
      statsInboundDownlink: system?.statsInboundDownlink ?? defaultSystemPolicy.statsInboundDownlink,
      statsOutboundUplink: system?.statsOutboundUplink ?? defaultSystemPolicy.statsOutboundUplink,
      statsOutboundDownlink: system?.statsOutboundDownlink ?? defaultSystemPolicy.statsOutboundDownlink,
    },
  }
}

const notCounted = 'these counters are checked but not applied in this version: nothing is counted'
