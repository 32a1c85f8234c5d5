/** Conditions on names and addresses: words with a prefix there, objects here. */
import { parseHost } from '../../../core/address.ts'
import type { Plain } from '../plain.ts'

interface Names {
  readonly names: readonly { readonly kind: 'Plain' | 'Regex' | 'RootDomain' | 'Full'; readonly value: string }[]
  readonly lists: readonly Plain[]
}

const kinds = { keyword: 'Plain', regexp: 'Regex', domain: 'RootDomain', full: 'Full' } as const

/** @param plain what a name without a prefix stands for */
export function namesOf(texts: readonly string[], plain: 'Plain' | 'Full' = 'Plain'): Names {
  const names: Names['names'][number][] = []
  const lists: Plain[] = []
  for (const text of texts) {
    const [, prefix = '', rest = ''] =
      /^(keyword|regexp|domain|full|dotless|geosite|ext|ext-domain|ext-site):(.*)$/s.exec(text) ?? []
    if (prefix === '') names.push({ kind: plain, value: text })
    else if (prefix === 'dotless') names.push({ kind: 'Regex', value: `^[^.]*${rest}[^.]*$` })
    else if (prefix === 'geosite') lists.push({ code: rest })
    else if (prefix.startsWith('ext')) lists.push(fileList(rest))
    else names.push({ kind: kinds[prefix as keyof typeof kinds], value: rest })
  }
  return { names, lists }
}

function fileList(text: string): { filePath: string; code: string } {
  const colon = text.indexOf(':')
  return { filePath: text.slice(0, colon), code: text.slice(colon + 1) }
}

/** Names and lists of names of one rule. There `domain` and `geoDomain` must both hold, so that both stand in the second. */
export function ruleNames(texts: readonly string[]): Plain {
  const { names, lists } = namesOf(texts)
  const domain = names.map(({ kind, value }) => ({ type: kind, value }))
  if (texts.length === 0) return {}
  if (lists.length === 0) return { domain }
  return { geoDomain: [...lists, ...(domain.length > 0 ? [{ domain }] : [])] }
}

/** Addresses, blocks and lists. What is "all but a block" has no form there: `hasInverseBlock` tells. */
export function addressesOf(texts: readonly string[]): Plain[] | undefined {
  if (texts.length === 0) return undefined
  const entries: Plain[] = []
  let blocks: Plain[] | undefined
  for (const text of texts) {
    const bare = text.replace(/^!+/, '')
    const outer = (text.length - bare.length) % 2 === 1
    const [, prefix, rest = ''] = /^(geoip|ext|ext-ip):(.*)$/s.exec(bare) ?? []
    if (prefix === undefined) {
      if (!blocks) {
        blocks = []
        entries.push({ cidr: blocks })
      }
      blocks.push(blockOf(bare))
      continue
    }
    blocks = undefined
    const named = prefix === 'geoip' ? { code: rest } : fileList(rest)
    const inner = named.code.startsWith('!')
    entries.push({
      ...named,
      code: inner ? named.code.slice(1) : named.code,
      ...(inner !== outer && { inverseMatch: true }),
    })
  }
  return entries
}

/** Why they stay behind. */
export const inverse = 'V2Ray 5’s own format has no "all but this block"'

export const hasInverseBlock = (texts: readonly string[]): boolean =>
  texts.some((text) => text.startsWith('!') && !/^!+(?:geoip|ext|ext-ip):/.test(text))

function blockOf(text: string): Plain {
  const [address = '', bits] = text.split('/')
  const bare = address.replace(/^\[|\]$/g, '')
  const most = parseHost(bare).kind === 'ipv4' ? 32 : 128
  return { ipAddr: bare, prefix: bits ? Number(bits) : most }
}
