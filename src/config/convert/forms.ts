/** Which form a text is in. */
import { parse as parseJson } from 'jsonc-parser'
import { isLineOfList } from '../link/line.ts'
import { decodeBase64 } from '../link/text.ts'
import { stripComments } from '../text/strip.ts'
import { asList, asPlain, isPlain } from './plain.ts'

export const forms = ['v4', 'v5', 'xray', 'sing-box', 'clash', 'link'] as const
export type Form = (typeof forms)[number]

/** Of what is none of the others it says V2Ray 4's, which is read with all its dialects, jsonv5 by its keys. */
export function formOf({ text }: { readonly text: string }): Form {
  const trimmed = text.replace(/^\uFEFF/, '').trim()
  if (/^["'<([]*vmess1?:\/\//i.test(trimmed) || isLineOfList(trimmed.split('\n')[0] ?? '')) return 'link'
  if (/^[A-Za-z0-9+/=_\s-]{16,}$/.test(trimmed) && /^\s*[a-z][a-z0-9+.-]*:\/\//i.test(decodeBase64(trimmed) ?? ''))
    return 'link'
  const foreign = foreignForm(trimmed)
  return foreign ?? 'v4'
}

/** A file of another program, by what stands in it. */
export function foreignForm(text: string): 'sing-box' | 'clash' | undefined {
  if (/^\s*[[{]/.test(text)) return foreignValue(parseJson(stripComments(text).text))
  if (/^(?:proxies|proxy-groups|proxy-providers|mixed-port)\s*:/m.test(text)) return 'clash'
  if (/^(?:-\s+)?(?:name|type|server)\s*:/m.test(text) && /^(?:-\s+|\s+)?type\s*:\s*["']?vmess/m.test(text))
    return 'clash'
  return undefined
}

function foreignValue(value: unknown): 'sing-box' | 'clash' | undefined {
  if (Array.isArray(value)) return foreignValue(value[0])
  const root = asPlain(value)
  if (root.proxies !== undefined || (root.type === 'vmess' && root.port !== undefined)) return 'clash'
  if (root.type === 'vmess' && root.server_port !== undefined) return 'sing-box'
  const ends = [...asList(root.outbounds), ...asList(root.inbounds)].filter(isPlain)
  return ends.length > 0 && ends.every((end) => end.protocol === undefined && typeof end.type === 'string')
    ? 'sing-box'
    : undefined
}
