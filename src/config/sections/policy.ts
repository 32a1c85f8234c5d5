/** `policy`: time limits, buffers and counters per level. */
import type { z } from 'zod'
import { limits } from '../../core/limits.ts'
import type { Context } from '../../schema/context.ts'
import { flag, integer, mapOf, noted, object, withoutEffect } from '../../schema/fields.ts'
import { type Place, shorten } from '../../schema/report.ts'
import { defaultPolicy, defaultSystemPolicy, type PolicyConfig, type PolicyLevel } from '../../settings/model.ts'

const seconds = (description: string) => integer(0, 4294967295, description)
const counted = (what: string) => flag(`Count ${what}. Default: true.`)

const levelSchema = object(() => ({
  handshake: seconds('Seconds until a client has said what it wants; that of level 0 applies to all. Default: 60.'),
  connIdle: seconds('Seconds without a byte either way. Default: 300.'),
  uplinkOnly: seconds('Seconds left to the uplink after the downlink ended. Default: 2.'),
  downlinkOnly: seconds('Seconds left to the downlink after the uplink ended. Default: 5.'),
  bufferSize: noted(
    integer(
      -2147483648,
      2147483647,
      'KiB that a connection may hold each way. 0: as little as possible; negative: 65536, the most. Default: 512.',
    ),
    { expected: 'a whole number of KiB, such as 512' },
  ),
  statsUserUplink: counted('bytes from users by e-mail'),
  statsUserDownlink: counted('bytes to users by e-mail'),
  statsUserOnline: flag('List the addresses that users connect from. Default: true.'),
})).describe('Limits of a level.')

const systemSchema = object(() => ({
  statsInboundUplink: counted('bytes from clients by inbound'),
  statsInboundDownlink: counted('bytes to clients by inbound'),
  statsOutboundUplink: counted('bytes from clients by outbound'),
  statsOutboundDownlink: counted('bytes to clients by outbound'),
  handshakesPerAddress: integer(
    0,
    4294967295,
    'Our own: connections of one address (IPv6: a /64) in their handshake; for one more the oldest goes. 0: no bound. Default: 1024.',
  ),
  overrideAccessLogDest: withoutEffect(flag('For V2Ray 5.'), 'the access log names the target that was asked for'),
})).describe('Counters and bounds of the whole instance.')

export const policySchema = object(() => ({
  levels: mapOf(levelSchema, 'Limits by level, a number in quotes.'),
  system: systemSchema,
})).describe('Time limits, buffers and counters.')

export function buildPolicy(
  root: { readonly policy?: z.output<typeof policySchema> | undefined } & object,
  context: Context,
): PolicyConfig {
  const { report } = context
  const { policy: input } = root
  const levels = new Map<number, PolicyLevel>()
  const unlisted = { ...defaultPolicy, bufferSize: defaultBuffer(report.at(root, 'policy'), context) }
  const written = input?.levels ?? {}
  for (const [name, level] of Object.entries(written)) {
    const number = /^\d{1,10}$/.test(name) ? Number(name) : Number.NaN
    if (number <= 4294967295) {
      const { bufferSize: kib } = level
      const bufferSize = kib === undefined ? undefined : bytesOf(kib, report.at(level, 'bufferSize'), context)
      levels.set(number, complete(unlisted, { ...level, bufferSize }))
      continue
    }
    const found = `found the level ${JSON.stringify(name.slice(0, 40))}`
    const message = `${found}, expected a number from 0 to 4294967295 in quotes`
    report.error('CFG023', report.at(written, name), message)
  }
  const { overrideAccessLogDest: _, ...system } = input?.system ?? {}
  const usual = unlisted.bufferSize === defaultPolicy.bufferSize
  return { levels, ...(!usual && { unlisted }), system: complete(defaultSystemPolicy, system) }
}

/** What is not written has its default. */
function complete<T extends object>(defaults: T, written: { readonly [K in keyof T]?: T[K] | undefined }): T {
  const given = Object.entries(written).filter(([, value]) => value !== undefined)
  return { ...defaults, ...Object.fromEntries(given) }
}

/** Size in MiB by the environment of V2Ray and Xray, 0 being unlimited. */
const bufferVariables = ['v2ray.ray.buffer.size', 'xray.ray.buffer.size']

/** Bytes that a connection may hold at a level that does not say it. */
function defaultBuffer(place: Place, context: Context): number {
  const name = bufferVariables.find((variable) => context.env(variable) !== undefined)
  if (name === undefined) return defaultPolicy.bufferSize
  const text = context.env(name)!
  const mebibytes = /^\d{1,6}$/.test(text) ? Number(text) : undefined
  const most = limits.policyBufferMax
  if (mebibytes !== undefined && mebibytes > 0) return Math.min(mebibytes * 1024 * 1024, most)
  if (mebibytes === 0) return most
  const variable = name.toUpperCase().replaceAll('.', '_')
  const message = `the environment variable ${variable} is ${JSON.stringify(shorten(text))}, expected a whole number of MiB`
  context.report.warn('CFG026', place, `${message}: 512 KiB are used`)
  return defaultPolicy.bufferSize
}

/** V2Ray’s negative sizes are unlimited, which no server can mean. */
function bytesOf(kib: number, place: Place, { report }: Context): number {
  const most = limits.policyBufferMax
  if (kib >= 0 && kib * 1024 <= most) return kib * 1024
  const what = kib < 0 ? `${kib} KiB is unlimited in V2Ray` : `${kib} KiB is more than a connection may hold`
  report.info('CFG039', place, `${what}: ${most / 1024} KiB are used`)
  return most
}
