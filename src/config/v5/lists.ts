/** Conditions on names and addresses: objects here, words with a prefix there. */
import { parseHost } from '../../core/address.ts'
import type { Report } from '../../schema/report.ts'
import { shorten } from '../../schema/report.ts'
import type { JsonNode } from '../../schema/tree.ts'
import { Fields, placeOf, textOfBase64 } from './fields.ts'
import { type Origin, text } from './nodes.ts'

const ruleTypes = ['Plain', 'Regex', 'RootDomain', 'Full'] as const
const rulePrefixes = { Plain: 'keyword:', Regex: 'regexp:', RootDomain: 'domain:', Full: 'full:' } as const
const dnsTypes = ['Full', 'Subdomain', 'Keyword', 'Regex'] as const
const dnsPrefixes = { Full: 'full:', Subdomain: 'domain:', Keyword: 'keyword:', Regex: 'regexp:' } as const

/** `{ type, value }` of the router. */
export function ruleName(at: Origin, report: Report): JsonNode | undefined {
  if (refusedWord(at, report, (rest, prefix) => `{ "type": "${typeOf(prefix)}", "value": "${rest}" }`)) return undefined
  const fields = new Fields(at, ['type', 'value'], report)
  const value = fields.text('value')
  const type = fields.word('type', ruleTypes) ?? 'Plain'
  if (value === undefined) return missing(fields, 'value')
  return text(at, `${rulePrefixes[type]}${value}`)
}

const typeOf = (prefix: string): string => ({ domain: 'RootDomain', full: 'Full', regexp: 'Regex' })[prefix] ?? 'Plain'

/** `{ type, domain }` of the DNS. */
export function dnsName(fields: Fields): string | undefined {
  const type = fields.word('type', dnsTypes) ?? 'Full'
  const domain = fields.text('domain')
  return domain === undefined ? undefined : `${dnsPrefixes[type]}${domain}`
}

/** Lists of names: `{ code }`, `{ filePath, code }`, or the names themselves. */
export function geoSite(at: Origin, report: Report): JsonNode[] {
  if (refusedWord(at, report, (rest) => `{ "code": "${rest}" }`)) return []
  const fields = new Fields(at, ['code', 'filePath', 'countryCode', 'domain'], report)
  labelOnly(fields, report)
  const code = fields.text('code')
  const file = fields.text('filePath')
  if (code) return [text(at, file ? `ext:${file}:${code}` : `geosite:${code}`)]
  return fields.items('domain').flatMap((item) => ruleName(item, report) ?? [])
}

/** Lists of addresses: `{ code }` with `inverseMatch` and `filePath`, or blocks. */
export function geoIp(at: Origin, report: Report): JsonNode[] {
  if (refusedWord(at, report, (rest) => `{ "code": "${rest.replace('!', '')}" }`)) return []
  const fields = new Fields(at, ['code', 'filePath', 'countryCode', 'inverseMatch', 'cidr'], report)
  labelOnly(fields, report)
  const code = fields.text('code')
  const file = fields.text('filePath')
  const not = fields.flag('inverseMatch') ? '!' : ''
  if (code) return [text(at, file ? `ext:${file}:${not}${code}` : `geoip:${not}${code}`)]
  const blocks = fields.items('cidr').flatMap((item) => block(item, report) ?? [])
  if (not === '') return blocks
  const message = 'all but these blocks: an entry with "cidr" and "inverseMatch" is not supported'
  report.error(
    'CFG034',
    placeOf(fields.origin('inverseMatch')),
    message,
    'write a rule for these blocks before this one',
  )
  return []
}

function block(at: Origin, report: Report): JsonNode | undefined {
  const fields = new Fields(at, ['ipAddr', 'ip', 'prefix'], report)
  const written = fields.text('ipAddr') ?? addressOfBytes(fields)
  const prefix = fields.number('prefix')
  if (written === undefined) return missing(fields, 'ipAddr')
  const [address = '', bits] = written.split('/')
  if (bits !== undefined || parseHost(address).kind === 'domain') {
    const hint = bits === undefined ? undefined : `write "ipAddr": "${address}", "prefix": ${bits}`
    report.error(
      'CFG028',
      placeOf(fields.origin('ipAddr')),
      `found ${JSON.stringify(shorten(written))}, expected an IP address`,
      hint,
    )
    return undefined
  }
  if (prefix === undefined && !fields.has('prefix')) {
    const message = 'this block has no "prefix": V2Ray takes 0, which is every address'
    report.error('CFG024', placeOf(at), message, `write "prefix": ${address.includes(':') ? 128 : 32}, or 0`)
    return undefined
  }
  return text(at, `${address}/${prefix ?? 0}`)
}

/** `ip`: 4 or 16 bytes in base64. */
function addressOfBytes(fields: Fields): string | undefined {
  const written = fields.text('ip')
  if (written === undefined || textOfBase64(written) === undefined) return undefined
  const bytes = Uint8Array.from(atob(written), (letter) => letter.charCodeAt(0))
  if (bytes.length === 4) return bytes.join('.')
  return [...bytes].map((byte, i) => byte.toString(16).padStart(2, '0') + (i % 2 === 1 && i < 15 ? ':' : '')).join('')
}

/** A condition as the other format writes it: shown as it is written here. */
function refusedWord(at: Origin, report: Report, form: (rest: string, prefix: string) => string): boolean {
  if (at.node.type !== 'string') return false
  const [, prefix = '', rest = ''] = /^(?:(\w+):)?(.*)$/s.exec(at.node.value) ?? []
  const message = `found ${JSON.stringify(shorten(at.node.value))}, expected an object`
  report.error('CFG022', placeOf(at), message, `write ${form(shorten(rest), prefix)}`)
  return true
}

function labelOnly(fields: Fields, report: Report): void {
  if (!fields.has('countryCode') || fields.has('code')) return
  const message = '"countryCode" is a label only: nothing is loaded for it, and it never matches'
  report.warn('CFG030', placeOf(fields.origin('countryCode')), message, 'write "code"')
}

function missing(fields: Fields, key: string): undefined {
  if (!fields.has(key)) fields.report.error('CFG024', placeOf(fields.at), `this entry has no "${key}"`)
  return undefined
}
