/** Conditions on names as routing and DNS write them. */

import { parseHost } from '../../core/address.ts'
import { comparable } from '../../routing/domains.ts'
import { regexpFault } from '../../routing/regexps.ts'
import { type Context, createContext } from '../../schema/context.ts'
import { type Place, Report, shorten } from '../../schema/report.ts'
import type { DomainRule } from '../../settings/routing.ts'

const prefixes = ['regexp', 'domain', 'full', 'keyword', 'dotless', 'geosite', 'ext', 'ext-domain', 'ext-site'] as const

/** Reads one condition; undefined when it is none, which is reported. A name without a prefix is taken for a `plain` one. */
export function readDomainRule(
  text: string,
  place: Place,
  context: Context,
  plain: 'keyword' | 'full' = 'keyword',
): DomainRule | undefined {
  const { report } = context
  const wrong = (message: string, hint?: string): undefined => {
    report.error('CFG122', place, `${JSON.stringify(shorten(text))}: ${message}`, hint)
    return undefined
  }
  const colon = text.indexOf(':')
  const prefix = prefixes.find((word) => colon > 0 && word === text.slice(0, colon))
  const rest = text.slice(colon + 1)
  switch (prefix) {
    case undefined:
      if (isAddressList(text))
        return wrong('lists of addresses are no names', plain === 'keyword' ? 'they belong in "ip"' : undefined)
      if (plain === 'keyword') warnOfPlain(text, place, context)
      return { kind: plain, value: comparable(text) }
    case 'regexp': {
      const fault = rest === '' ? 'nothing stands after "regexp:"' : regexpFault(rest)
      if (fault) return wrong(fault)
      if (needsUpperCase(rest)) {
        const message = `${JSON.stringify(shorten(text))} can never match: names are compared in lower case`
        report.warn('CFG123', place, message, 'write it in lower case, or (?i) in front')
      }
      return { kind: 'regexp', value: rest }
    }
    case 'dotless': {
      if (rest.includes('.')) return wrong('the text after "dotless:" must not contain a dot')
      const value = `^[^.]*${rest}[^.]*$`
      const fault = regexpFault(value)
      return fault ? wrong(fault) : { kind: 'regexp', value }
    }
    case 'geosite':
      return readList('geosite.dat', rest, wrong)
    case 'ext':
    case 'ext-domain':
    case 'ext-site': {
      const match = /^([^:]+):([^:]+)$/.exec(rest)
      return match ? readList(match[1]!, match[2]!, wrong) : wrong(`expected "${prefix}:FILE:LIST"`)
    }
    default:
      if (rest === '') return wrong(`nothing stands after "${prefix}:"`)
      return { kind: prefix, value: comparable(rest) }
  }
}

/** Conditions that were checked before. */
export function domainRules(texts: readonly string[]): DomainRule[] {
  const context = createContext(new Report(), {}, undefined)
  return texts.flatMap((text) => readDomainRule(text, nowhere, context) ?? [])
}

const nowhere: Place = { source: { name: '', order: 0, text: '' }, offset: 0, path: '' }

/** Only says what is wrong. */
export function checkDomainRule(text: string, place: Place, context: Context): void {
  readDomainRule(text, place, context, 'full')
}

/** `LIST`, `LIST@a`, `LIST@a@b`. */
function readList(file: string, text: string, wrong: (message: string) => undefined): DomainRule | undefined {
  const [code = '', ...attributes] = text.split('@').map((part) => part.trim())
  if (code === '') return wrong('no list is named')
  if (attributes.includes('')) return wrong('nothing stands after an "@"')
  return { kind: 'list', file, code: code.toUpperCase(), attributes: attributes.map((name) => name.toLowerCase()) }
}

/** Letters in upper case that stand for themselves, where nothing says that the case does not matter. */
function needsUpperCase(text: string): boolean {
  if (/\(\?[a-zA-Z]*i/.test(text)) return false
  const bare = text
    .replaceAll(/\\Q(.*?)(?:\\E|$)/g, '$1')
    .replaceAll(/\\(?:[pP](?:\{[^}]*\}|.)|x\{[^}]*\}|x..|.)/g, '')
    .replaceAll(/\(\?P?<[^>]*>/g, '(')
    .replaceAll(/\(\?[a-zA-Z-]+[:)]/g, '(')
    .replaceAll(/\[(?:\[:[^\]]*:\]|[^\]])*\]/g, '')
  return /[A-Z]/.test(bare)
}

const isAddressList = (text: string): boolean => /^!*(?:geoip|ext-ip):/.test(text)

/** Texts that are meant as something else than a part of a name. */
function warnOfPlain(text: string, place: Place, { report }: Context): void {
  const shown = JSON.stringify(shorten(text))
  const never = (hint: string) => report.warn('CFG123', place, `${shown} never matches: no name contains it`, hint)
  const meant = prefixes.find((word) => text.trim().toLowerCase().startsWith(`${word}:`))
  if (text === '') report.warn('CFG123', place, 'the text is empty, so it matches every name')
  else if (meant) never(`write "${meant}:" in lower case and without blanks in front`)
  else if (text.startsWith('!')) never('names have no "not": put a rule for the exception in front')
  else if (/^[a-z]+:\/\/|\//i.test(text)) {
    if (/^[0-9a-f.:]+\/\d+$/i.test(text)) never('an address or a block belongs in "ip"')
    else never(`write "domain:${shorten(text.replace(/^[a-z]+:\/\//i, '').replace(/\/.*$/, ''))}"`)
  } else if (text.startsWith('*.')) never(`write "domain:${shorten(text.slice(2))}"`)
  else if (/\s/.test(text)) never('leave out the blanks')
  else if (parseHost(text).kind !== 'domain') {
    report.warn('CFG123', place, `${shown} is an address, and "domain" compares names`, 'write it into "ip"')
  } else if (text.startsWith('.')) {
    const hint = `write "domain:${shorten(text.slice(1))}"`
    report.info('CFG125', place, `${shown} is looked for anywhere in a name, and misses the name without the dot`, hint)
  } else if (text.includes('.')) {
    report.info('CFG125', place, `${shown} is looked for anywhere in a name`, `did you mean "domain:${shorten(text)}"?`)
  }
}
