/** Values that are written as text with a syntax of their own: addresses, ports, lists. */
import { formatHost, parseHost } from '../core/address.ts'
import type { PortRange } from '../settings/ports.ts'
import type { Context } from './context.ts'
import { type Place, shorten } from './report.ts'

/** Items of a StringList. One string is split at commas and, as in V2Ray and Xray, not trimmed. */
export const listOf = (value: readonly string[] | string | undefined): readonly string[] =>
  typeof value === 'string' ? value.split(',') : (value ?? [])

/** The text itself, or the variable that `env:NAME` refers to. Undefined when it is not set, which is reported. */
export function resolveEnv(text: string, place: Place, { report, env }: Context): string | undefined {
  if (!text.startsWith('env:')) return text
  const name = text.slice(4)
  const value = env(name)
  if (value === undefined) {
    const variable = name.includes('.') ? name.toUpperCase().replaceAll('.', '_') : name
    const hint = /^[a-z_]\w{0,63}$/i.test(variable) ? `export ${variable}=…` : undefined
    report.error('CFG027', place, `the environment variable "${shorten(name)}" is not set`, hint)
  }
  return value
}

/** An IP address in its shortest form or a domain name. Undefined when it is neither, which is reported. */
export function readHost(value: string, place: Place, context: Context): string | undefined {
  const resolved = resolveEnv(value.trim(), place, context)
  if (resolved === undefined) return undefined
  const text = resolved.trim()
  const { report } = context
  const found = `found ${JSON.stringify(shorten(text))}, expected an IP address or a domain name`
  const withPort = /^([^:/]+|\[[^\]]*\]):(\d+)$/.exec(text)
  if (text === '') {
    report.error('CFG028', place, 'the address is empty; expected an IP address or a domain name')
  } else if (withPort) {
    report.error('CFG028', place, found, `write "${shorten(withPort[1]!)}" here and ${withPort[2]} as "port"`)
  } else if (/^[a-z][a-z0-9+.-]*:\/\//i.test(text)) {
    report.error('CFG028', place, found, 'leave out the scheme and the path of a URL')
  } else if (/[\s/]/.test(text) || text.length > 255) {
    report.error('CFG028', place, found)
  } else {
    return formatHost(parseHost(text))
  }
  return undefined
}

/** The form in which DNS and TLS know a name in another script; undefined for what is no name. */
export function toAscii(name: string): string | undefined {
  if (/[\s/?#@:[\]\\]/.test(name)) return undefined
  const url = `http://${name}/`
  return URL.canParse(url) ? new URL(url).hostname : undefined
}

/** Ranges of a number, a text such as `"443"`, `"1000-2000"`, `"53, 443"`, or a variable. Undefined when wrong, which is reported. */
export function readPorts(value: number | string, place: Place, context: Context): readonly PortRange[] | undefined {
  if (typeof value === 'number') return [{ from: value, to: value }]
  const ranges: PortRange[] = []
  for (const item of value.split(',')) {
    const text = resolveEnv(item.trim(), place, context)
    const range = text === undefined ? undefined : readRange(text, place, context)
    if (!range) return undefined
    ranges.push(range)
  }
  return ranges
}

function readRange(text: string, place: Place, { report }: Context): PortRange | undefined {
  const match = /^(\d{1,5})(?:-(\d{1,5}))?$/.exec(text)
  const wrong = (what: string, hint?: string) => {
    report.error('CFG029', place, `found ${JSON.stringify(shorten(text))}, ${what}`, hint)
    return undefined
  }
  if (!match) {
    const blanks = /^\d+\s*-\s*\d+$/.test(text) ? `write "${text.replaceAll(/\s/g, '')}" without blanks` : undefined
    return wrong('expected a port (443) or a range of ports ("1000-2000")', blanks)
  }
  const from = Number(match[1])
  const to = Number(match[2] ?? match[1])
  if (from > 65535 || to > 65535) return wrong('expected ports from 0 to 65535')
  if (from > to) return wrong('expected the smaller port first', `write "${to}-${from}"`)
  return { from, to }
}

/** How many ports the ranges have. */
export const portCount = (ranges: readonly PortRange[]): number =>
  ranges.reduce((sum, { from, to }) => sum + to - from + 1, 0)
