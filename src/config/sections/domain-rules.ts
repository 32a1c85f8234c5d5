/** Conditions on names, addresses and ports as routing and DNS write them. Checked here, applied elsewhere. */
import { parseIPv4, parseIPv6 } from '../../core/address.ts'
import type { Context } from '../../schema/context.ts'
import { type Place, shorten } from '../../schema/report.ts'

/** Checks one domain rule. */
export function checkDomainRule(rule: string, place: Place, { report }: Context): void {
  const fault = faultOf(rule)
  if (fault) report.error('CFG122', place, `${JSON.stringify(shorten(rule))}: ${fault}`)
}

function faultOf(rule: string): string | undefined {
  const [prefix, rest] = split(rule)
  switch (prefix) {
    case 'regexp':
      return regexpFault(rest)
    case 'dotless':
      return rest.includes('.') ? 'the text after "dotless:" must not contain a dot' : undefined
    case 'domain':
    case 'full':
    case 'keyword':
      return rest === '' ? `nothing stands after "${prefix}:"` : undefined
    case 'geosite':
      return rest === '' ? 'no list stands after "geosite:"' : undefined
    case 'ext':
    case 'ext-domain':
    case 'ext-site':
      return /^[^:]+:[^:]+$/.test(rest) ? undefined : `expected "${prefix}:FILE:LIST"`
    default:
      return rule.trim() === '' ? 'the text is empty, so it matches every name' : undefined
  }
}

function regexpFault(text: string): string | undefined {
  if (/\(\?<?[=!]|\\[1-9]/.test(text)) return 'look-around and back-references are not part of the RE2 syntax'
  // Flags and named groups are spelt differently in RE2.
  const translated = text
    .replaceAll(/\(\?[imsU-]+\)/g, '')
    .replaceAll(/\(\?[imsU-]+:/g, '(?:')
    .replaceAll('(?P<', '(?<')
  try {
    new RegExp(translated)
    return undefined
  } catch {
    return 'this regular expression cannot be read'
  }
}

/** Checks one IP rule: an address, a block, or a list. */
export function checkIpRule(rule: string, place: Place, { report }: Context): void {
  const bare = rule.trim().replace(/^!+/, '')
  const [prefix, rest] = split(bare)
  const wrong = (what: string, hint?: string) =>
    report.error('CFG122', place, `${JSON.stringify(shorten(rule))}: ${what}`, hint)
  if (prefix === 'geoip') {
    if (rest.replace('!', '') === '') wrong('no list stands after "geoip:"')
  } else if (prefix === 'ext' || prefix === 'ext-ip') {
    if (!/^[^:]+:[^:]+$/.test(rest)) wrong(`expected "${prefix}:FILE:LIST"`)
  } else if (!isBlock(bare)) {
    wrong(
      'expected an IP address, a block such as "10.0.0.0/8", or "geoip:LIST"',
      prefix === 'geosite' ? 'lists of names belong in "domain"' : undefined,
    )
  }
}

function isBlock(text: string): boolean {
  const match = /^\[?([^\]/]*)\]?(?:\/(\d{1,3}))?$/.exec(text)
  const [, ip = '', length = '0'] = match ?? []
  if (parseIPv4(ip)) return Number(length) <= 32
  return parseIPv6(ip) !== undefined && Number(length) <= 128
}

/** The word before the first colon in lower case, and the rest. */
function split(rule: string): [prefix: string, rest: string] {
  const colon = rule.indexOf(':')
  return colon < 0 ? ['', rule] : [rule.slice(0, colon).toLowerCase(), rule.slice(colon + 1)]
}
