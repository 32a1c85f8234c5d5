/** Which protocol an inbound or outbound speaks. */
import type { Context } from '../../schema/context.ts'
import { oneOf } from '../../schema/expected.ts'
import { shorten } from '../../schema/report.ts'
import { didYouMean } from '../../schema/suggest.ts'
import type { JsonNode } from '../../schema/tree.ts'

/** Words that V2Ray or Xray know and we do not support. */
const others: Readonly<Record<string, readonly string[]>> = {
  inbound: ['shadowsocks', 'vless', 'trojan', 'mtproto', 'hysteria', 'wireguard', 'tun', 'shadowsocks-2022', 'snell'],
  outbound: ['dns', 'shadowsocks', 'vless', 'trojan', 'mtproto', 'hysteria', 'wireguard'],
}

interface Named {
  readonly kind: string
  readonly aliases: readonly string[]
}

/** Every spelling of every kind. */
export const protocolNames = (kinds: readonly Named[]): string[] =>
  kinds.flatMap(({ kind, aliases }) => [kind, ...aliases])

/** The kind that `protocol` names, in any letter case; undefined after an error. */
export function findKind<K extends Named>(
  kinds: readonly K[],
  input: { readonly protocol?: string | undefined; readonly settings?: JsonNode | undefined } & object,
  role: 'inbound' | 'outbound',
  { report }: Context,
): K | undefined {
  const place = report.at(input, 'protocol')
  const names = protocolNames(kinds)
  if (input.protocol === undefined) {
    if (!report.wrote(input, 'protocol')) {
      report.error('CFG024', place, `this ${role} has no "protocol"; expected ${oneOf(names)}`)
    }
    return undefined
  }
  const word = input.protocol.toLowerCase()
  const found = kinds.find(({ kind, aliases }) => kind === word || aliases.includes(word))
  if (found) return found
  const shown = JSON.stringify(shorten(input.protocol))
  const known = others[role]!
  if (known.includes(word)) {
    const message = `the ${role} protocol ${shown} is known but not supported; expected ${oneOf(names)}`
    const reversed = word === 'vless' && input.settings && has(input.settings, 'reverse')
    report.error('CFG034', place, message, reversed ? vlessReverse : undefined)
  } else {
    const message = `unknown ${role} protocol ${shown}, expected ${oneOf(names)}`
    report.error('CFG080', place, message, didYouMean(word, [...names, ...known]))
  }
  return undefined
}

const vlessReverse =
  'the reverse proxy of VLESS is not supported either: write "reverse", a bridge and a portal, over vmess'

/** Whether it, or something in it, has such a member. */
function has(node: JsonNode, key: string): boolean {
  if (node.type === 'array') return node.items.some((item) => has(item, key))
  return node.type === 'object' && node.entries.some((entry) => entry.key === key || has(entry.value, key))
}
