/** Conditions on addresses: addresses, blocks, lists, each of them perhaps with a "not". */
import { parseHost } from '../../core/address.ts'
import type { IpRule } from '../../settings/routing.ts'
import type { Context } from '../context.ts'
import { type Place, shorten } from '../report.ts'

/** Reads one condition; undefined when it is none, which is reported. */
export function readIpRule(text: string, place: Place, { report }: Context): IpRule | undefined {
  const trimmed = text.trim()
  const bare = trimmed.replace(/^!+/, '')
  const not = (trimmed.length - bare.length) % 2 === 1
  const wrong = (what: string, hint?: string): undefined => {
    report.error('CFG122', place, `${JSON.stringify(shorten(text))}: ${what}`, hint)
    return undefined
  }
  const colon = bare.indexOf(':')
  const prefix = bare.slice(0, Math.max(0, colon))
  const rest = bare.slice(colon + 1)
  if (prefix === 'geoip')
    return rest.replace(/^!/, '').trim() ? list('geoip.dat', rest, not) : wrong('no list stands after "geoip:"')
  if (prefix === 'ext' || prefix === 'ext-ip') {
    const match = /^([^:]+):([^:]+)$/.exec(rest)
    return match ? list(match[1]!, match[2]!, not) : wrong(`expected "${prefix}:FILE:LIST"`)
  }
  const block = readBlock(bare)
  if (block === 'prefix') {
    const most = bare.includes(':') ? 128 : 32
    return wrong(`the number after the "/" is too large for this address: expected 0 to ${most}`)
  }
  if (block) {
    if (bare.endsWith('/')) {
      report.warn(
        'CFG123',
        place,
        `${JSON.stringify(shorten(text))}: no number stands after the "/": it is one address`,
      )
    }
    return { kind: 'block', ...block, not }
  }
  return wrong('expected an IP address, a block such as "10.0.0.0/8", or "geoip:LIST"', hintFor(bare, prefix))
}

function list(file: string, text: string, not: boolean): IpRule {
  const inverted = text.startsWith('!')
  return {
    kind: 'list',
    file,
    code: text
      .slice(inverted ? 1 : 0)
      .trim()
      .toUpperCase(),
    not: not !== inverted,
  }
}

function hintFor(text: string, prefix: string): string | undefined {
  if (prefix === 'geosite') return 'lists of names belong in "domain"'
  if (/-/.test(text) && /^[\d.:-]+$/.test(text)) return 'write a range as one or more blocks'
  return /^[a-z0-9-]+(?:\.[a-z0-9-]+)*\.[a-z]+$/i.test(text) ? 'names belong in "domain"' : undefined
}

/** `prefix`: there are not so many bits. An IPv4 address in an IPv6 one is IPv4, and its bits are counted as such. */
function readBlock(text: string): { bytes: Uint8Array; prefix: number } | 'prefix' | undefined {
  const match = /^(\[[^\]/]*\]|[^[\]/]*)(?:\/(\d{0,3}))?$/.exec(text)
  const host = parseHost(match?.[1] ?? '')
  if (host.kind === 'domain') return undefined
  const most = host.bytes.length * 8
  const prefix = match?.[2] ? Number(match[2]) : most
  return prefix > most ? 'prefix' : { bytes: host.bytes, prefix }
}
