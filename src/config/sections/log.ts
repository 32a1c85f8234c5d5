/** `log`. */
import type { z } from 'zod'
import type { Context } from '../../schema/context.ts'
import { oneOf } from '../../schema/expected.ts'
import { flag, object, openWord, text, withoutEffect } from '../../schema/fields.ts'
import { shorten } from '../../schema/report.ts'
import { didYouMean } from '../../schema/suggest.ts'
import type { LogConfig, LogLevel } from '../../settings/model.ts'

const levels = ['debug', 'info', 'warning', 'error', 'none'] as const satisfies readonly LogLevel[]
const masks = ['quarter', 'half', 'full'] as const

export const logSchema = object(() => ({
  access: text('Path of the access log; "" is standard error, "none" off.'),
  error: text('Path of the log; "" is standard error, "none" off.'),
  loglevel: openWord(levels, 'What is worth a line. Default: warning.'),
  dnsLog: withoutEffect(flag('A line per DNS answer.'), 'there is no DNS server here yet'),
  maskAddress: openWord(masks, 'How much of IP addresses is hidden: quarter, half, full, or "/a+/b" bits to keep.'),
})).describe('Logs.')

/** Without a `log` object there is no access log; with one, it goes to standard error. */
const silentLog: LogConfig = { access: 'none', error: '', level: 'warning', maskAddress: '' }

export function buildLog(input: z.output<typeof logSchema> | undefined, context: Context): LogConfig {
  if (!input) return silentLog
  const { report } = context
  const word = input.loglevel?.trim().toLowerCase() || 'warning'
  const level = levels.find((candidate) => candidate === word)
  if (!level) {
    const message = `unknown level ${JSON.stringify(shorten(input.loglevel!))}: "warning" is used; expected ${oneOf(levels)}`
    report.warn('CFG026', report.at(input, 'loglevel'), message, didYouMean(word, levels))
  }
  return {
    access: level === 'none' ? 'none' : pathOf(input.access),
    error: pathOf(input.error),
    level: level ?? 'warning',
    maskAddress: readMask(input, context),
  }
}

const pathOf = (path = ''): string => (path.toLowerCase() === 'none' ? 'none' : path)

function readMask(input: z.output<typeof logSchema>, { report }: Context): string {
  const mask = input.maskAddress?.trim().toLowerCase() ?? ''
  if (mask === '' || (masks as readonly string[]).includes(mask)) return mask
  const bits = /^\/(\d{1,2})(?:\+\/(\d{1,3}))?$/.exec(mask)
  const [v4, v6] = [Number(bits?.[1] ?? -1), Number(bits?.[2] ?? 0)]
  if (bits && v4 % 8 === 0 && v4 <= 32 && v6 % 8 === 0 && v6 <= 128) return mask
  const message = `found ${JSON.stringify(shorten(mask))}, expected ${oneOf(masks)}, or bits to keep in eights such as "/16+/32"`
  report.error('CFG025', report.at(input, 'maskAddress'), message, didYouMean(mask, masks))
  return ''
}
