import { distance } from 'fastest-levenshtein'
import { lookUp } from '../core/lookup.ts'

/** The nearest of some words, at most two letters away (one for short words), with its letters in another order, or the only one that it begins. */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  if (word.length > 64) return undefined
  const all = [...candidates]
  const wanted = word.trim().toLowerCase()
  const begun = wanted.length > 2 ? all.filter((candidate) => candidate.toLowerCase().startsWith(wanted)) : []
  if (begun.length === 1) return begun[0]
  let best: string | undefined
  let bestDistance = wanted.length <= 3 ? 2 : 3
  const letters = sorted(wanted)
  for (const candidate of all) {
    if (Math.abs(candidate.length - wanted.length) > 2) continue
    const name = candidate.toLowerCase()
    const d = sorted(name) === letters ? 1 : distance(wanted, name)
    if (d < bestDistance) {
      best = candidate
      bestDistance = d
    }
  }
  return best
}

/** As `didYouMean`, but among words that begin alike the nearest is good enough at any distance. */
export function didYouMeanAlike(word: string, candidates: readonly string[]): string | undefined {
  const alike = candidates.filter((candidate) => candidate.slice(0, 3) === word.slice(0, 3))
  if (alike.length === 0 || word.length > 64) return didYouMean(word, candidates)
  const [best] = [...alike].sort((a, b) => distance(word, a) - distance(word, b))
  return `did you mean "${best}"?`
}

const sorted = (word: string): string => [...word].sort().join('')

/** `did you mean "x"?` */
export function didYouMean(word: string, candidates: Iterable<string>): string | undefined {
  const guess = translations.get(word.trim()) ?? nearest(word, candidates)
  return guess === undefined ? undefined : `did you mean "${guess}"?`
}

/** Names and values that machine translation made of the documented ones. They are not aliases. */
const translations: ReadonlyMap<string, string> = new Map([
  ['주소', 'address'],
  ['포트', 'port'],
  ['명의 사용자', 'users'],
  ['사용자', 'users'],
  ['레벨', 'level'],
  ['보안', 'security'],
  ['이메일', 'email'],
  ['클라이언트', 'clients'],
  ['기본값', 'default'],
  ['~', 'to'],
  ['자동', 'auto'],
  ['없음', 'none'],
  ['그릇된', 'false'],
  ['에이스 -128-cfb', 'aes-128-cfb'],
])

/** Where keys belong that are often written on a wrong level. */
const homes: Readonly<Record<string, string>> = {
  address: 'an outbound’s settings.vnext[]',
  allowinsecure: 'streamSettings.tlsSettings',
  alterid: 'users[] (outbound) or clients[] (inbound)',
  certificates: 'streamSettings.tlsSettings',
  clients: 'an inbound’s settings',
  detour: 'a vmess inbound’s settings',
  disableinsecureencryption: 'a vmess inbound’s settings',
  domainstrategy: 'routing, or a freedom outbound’s settings',
  email: 'users[] (outbound) or clients[] (inbound)',
  experiments: 'users[] (outbound) or clients[] (inbound)',
  expires: 'limits of clients[] of a vmess inbound',
  fingerprint: 'streamSettings.tlsSettings',
  id: 'users[] (outbound) or clients[] (inbound)',
  level: 'users[] (outbound) or clients[] (inbound)',
  limits: 'clients[] of a vmess inbound',
  listen: 'inbounds[]',
  loglevel: 'log',
  mux: 'outbounds[]',
  network: 'streamSettings',
  outboundtag: 'routing.rules[]',
  path: 'the settings of the transport, such as streamSettings.wsSettings',
  quota: 'limits of clients[] of a vmess inbound',
  port: 'inbounds[], or an outbound’s settings.vnext[]',
  protocol: 'inbounds[] or outbounds[]',
  proxysettings: 'outbounds[]',
  rules: 'routing',
  security: 'users[] (VMess encryption) or streamSettings (TLS)',
  sendthrough: 'outbounds[]',
  servername: 'streamSettings.tlsSettings',
  settings: 'inbounds[] or outbounds[]',
  sniffing: 'inbounds[]',
  sockopt: 'streamSettings',
  streamsettings: 'inbounds[] or outbounds[]',
  tag: 'inbounds[] or outbounds[]',
  tcpsettings: 'streamSettings',
  tlssettings: 'streamSettings',
  udp: 'a socks inbound’s settings',
  users: 'an outbound’s settings.vnext[], or a vmess inbound’s settings',
  vnext: 'a vmess outbound’s settings',
  wssettings: 'streamSettings',
}

/** What to say about an unknown key: the nearest known one, or the level on which it belongs. */
export function keyHint(key: string, known: Iterable<string>): string | undefined {
  const home = lookUp(homes, key.toLowerCase())
  return home === undefined ? didYouMean(key, known) : `"${key}" belongs in ${home}`
}

const limitNames = [
  'enabled',
  'uplink',
  'downlink',
  'connections',
  'addresses',
  'addressgrace',
  'quota',
  'expires',
  'expiresafter',
]

/** Our limits, and the words for them that other programs and panels have. */
const levelLimits = [...limitNames, 'maxconnections', 'limitip', 'speed', 'speedlimit', 'totalgb', 'expirytime']

/**
 * Whether whoever wrote this unknown key meant a limit of a user: as ours alone it is, or as one that stands beside `limits`,
 * or in a level of the policy, where all that stands limits.
 */
export function wouldLimit(key: string, known: readonly string[]): boolean {
  const name = key.toLowerCase()
  if (['limits', 'addressgrace', 'quota', 'expires', 'expiresafter'].includes(name)) return true
  if (isLevel(known)) return levelLimits.includes(name)
  if (!known.includes('limits')) return false
  // Panels write limitIp with a meaning of its own.
  return limitNames.includes(name) || (name !== 'limitip' && nearest(name, ['limits']) !== undefined)
}

const isLevel = (known: readonly string[]): boolean => known.includes('connIdle')

/** Where a limit belongs that stands beside `limits`, or in a level of the policy. */
export function limitHint(key: string, known: readonly string[]): string | undefined {
  if (isLevel(known))
    return 'limits of users are kept by e-mail: write them into "limits" of clients[] of a vmess inbound'
  return known.includes('limits') && limitNames.includes(key.toLowerCase())
    ? 'write it into "limits": { … }'
    : undefined
}
