/** Which protocol an inbound or outbound speaks. */
import type { Kinds } from '../../kinds/kinds.ts'
import type { Context } from '../../schema/context.ts'
import { oneOf } from '../../schema/expected.ts'
import { shorten } from '../../schema/report.ts'
import { didYouMean } from '../../schema/suggest.ts'
import type { JsonNode } from '../../schema/tree.ts'

type Role = 'inbound' | 'outbound'

const both = [
  'shadowsocks',
  'shadowsocks-2022',
  'shadowsocks2022',
  'vless',
  'vlite',
  'vliteu',
  'trojan',
  'mtproto',
  'hysteria',
  'hysteria2',
  'wireguard',
]

/** Words that V2Ray or Xray know and we do not support. */
const others: Readonly<Record<Role, readonly string[]>> = {
  inbound: [...both, 'tun', 'snell'],
  outbound: [...both, 'dns'],
}

/** Whether a word names a protocol of other programs. */
export function isForeign(written: string | undefined, role: Role, kinds: Kinds): boolean {
  const word = written?.toLowerCase() ?? ''
  const own = role === 'inbound' ? kinds.inbounds : kinds.outbounds
  return others[role].includes(word) && !protocolNames(own).includes(word)
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
  role: Role,
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
  const known = others[role]
  if (known.includes(word)) {
    const message = `the ${role} protocol ${shown} is known but not supported; expected ${oneOf(names)}`
    const reversed = word === 'vless' && input.settings && has(input.settings, 'reverse')
    report.error('CFG034', place, message, reversed ? vlessReverse : leaveOut(role))
  } else {
    const message = `unknown ${role} protocol ${shown}, expected ${oneOf(names)}`
    report.error('CFG080', place, message, didYouMean(word, [...names, ...known]))
  }
  return undefined
}

function leaveOut(role: Role): string {
  const hint = `leave it to a program that speaks it, or start with --skip-unsupported: this ${role} is left out then`
  return role === 'inbound' ? hint : `${hint}, and what rules lead to it is blocked`
}

const vlessReverse =
  'the reverse proxy of VLESS is not supported either: write "reverse", a bridge and a portal, over vmess'

/** Whether it, or something in it, has such a member. */
function has(node: JsonNode, key: string): boolean {
  if (node.type === 'array') return node.items.some((item) => has(item, key))
  return node.type === 'object' && node.entries.some((entry) => entry.key === key || has(entry.value, key))
}
