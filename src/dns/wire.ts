/** DNS messages as bytes (RFC 1035, RFC 6891). The one user of the codec library. */

import dnsPacket from 'dns-packet'
import { formatHost, hostFromIP, parseHost } from '../core/address.ts'
import { limits } from '../core/limits.ts'
import type { Question, RecordType } from './answer.ts'

export interface Query {
  /** 16 bits that nobody can guess: half of what tells a true answer from a forged one. The source port is the other. */
  readonly id: number
  readonly question: Question
  /** The name as it is to be asked for, in whichever case; that of the question unless given. */
  readonly written?: string
  readonly edns: boolean
  /** An IP address of the network that the server is told of (RFC 7871), zeroed to 24 bits, or 96 of IPv6. */
  readonly subnet?: string
}

/** A record of the answer section that leads to an address. */
export type AnswerRecord =
  | { readonly kind: 'address'; readonly owner: string; readonly ttlS: number; readonly address: string }
  | { readonly kind: 'alias'; readonly owner: string; readonly ttlS: number; readonly target: string }

export interface Reply {
  readonly id: number
  /** As it came back, in lower case; absent in some refusals. */
  readonly question: Question | undefined
  /** `NOERROR`, `NXDOMAIN`, `SERVFAIL` … */
  readonly rcode: string
  /** There is more than fitted: ask again over TCP. The records are not given then. */
  readonly truncated: boolean
  readonly records: readonly AnswerRecord[]
  /** Seconds for which the absence of records holds (RFC 2308); undefined: not to be remembered. */
  readonly absentS: number | undefined
}

const headerBytes = 12

export function encodeQuery({ id, question, written, edns, subnet }: Query): Uint8Array {
  return dnsPacket.encode({
    type: 'query',
    id,
    flags: dnsPacket.RECURSION_DESIRED,
    questions: [{ type: question.type, name: written ?? question.name, class: 'IN' }],
    additionals: subnet ? [subnetOption(subnet)] : edns ? [option({ udpPayloadSize: limits.dnsDatagram })] : [],
  })
}

const option = (fields: Partial<dnsPacket.OptAnswer>): dnsPacket.OptAnswer => ({
  type: 'OPT',
  name: '.',
  udpPayloadSize: 0,
  extendedRcode: 0,
  ednsVersion: 0,
  flags: 0,
  flag_do: false,
  options: [],
  ...fields,
})

/** To the bit as the peers send it, with a response code in a query: their users' servers know it so. */
function subnetOption(address: string): dnsPacket.OptAnswer {
  const [bytes, prefix] = address.includes(':') ? [12, 96] : [3, 24]
  const host = parseHost(address)
  const kept = host.kind === 'domain' ? new Uint8Array(16) : host.bytes.map((byte, i) => (i < bytes ? byte : 0))
  const ip = formatHost(hostFromIP(kept))
  const data = { code: 'CLIENT_SUBNET', ip, sourcePrefixLength: prefix } as unknown as dnsPacket.PacketOpt
  return option({ udpPayloadSize: 1350, extendedRcode: 0xe0, flags: 0x8000, flag_do: true, options: [data] })
}

/** Undefined for what is no reply at all. The bytes are copied. */
export function decodeReply(bytes: Uint8Array): Reply | undefined {
  if (bytes.length < headerBytes) return undefined
  const copy = Buffer.from(bytes)
  const truncated = (copy[2]! & 2) !== 0
  // What was cut off may end inside a record: only header and question are looked at.
  if (truncated) copy.fill(0, 6, headerBytes)
  try {
    const packet = dnsPacket.decode(copy)
    if (packet.type !== 'response' || ((copy[2]! >> 3) & 15) !== 0) return undefined
    const [first, ...more] = packet.questions ?? []
    if (more.length > 0) return undefined
    return {
      id: packet.id ?? 0,
      question: first && asked(first.name, first.type, first.class),
      rcode: rcodeOf(copy, packet.additionals ?? []),
      truncated,
      records: (packet.answers ?? []).flatMap(record),
      absentS: absence(packet.authorities ?? []),
    }
  } catch {
    return undefined
  }
}

const asked = (name: string, type: string, inClass: string | undefined): Question | undefined =>
  (type === 'A' || type === 'AAAA') && inClass === 'IN' ? { name: name.toLowerCase(), type } : undefined

const rcodes = ['NOERROR', 'FORMERR', 'SERVFAIL', 'NXDOMAIN', 'NOTIMP', 'REFUSED']

/** Undefined for a code that says something about the query and nothing about the name. */
export function rcodeNumber(rcode: string): number | undefined {
  const code = rcodes.indexOf(rcode)
  return code < 0 || rcode === 'FORMERR' ? undefined : code
}

/** The upper eight bits stand in the OPT record; what has any is a refusal of EDNS or unknown to us. */
function rcodeOf(bytes: Uint8Array, additionals: readonly dnsPacket.Answer[]): string {
  const opt = additionals.find((each) => each.type === 'OPT')
  const code = ((opt?.type === 'OPT' ? opt.extendedRcode : 0) << 4) | (bytes[3]! & 15)
  return code === 16 ? 'BADVERS' : (rcodes[code] ?? `RCODE${code}`)
}

function record(answer: dnsPacket.Answer): AnswerRecord[] {
  if (answer.type === 'OPT' || ('class' in answer && answer.class !== 'IN')) return []
  const owner = answer.name.toLowerCase()
  const ttlS = ttlOf(answer.ttl)
  if (answer.type === 'CNAME') return [{ kind: 'alias', owner, ttlS, target: answer.data.toLowerCase() }]
  if (answer.type !== 'A' && answer.type !== 'AAAA') return []
  const address = addressText(answer.type, answer.data)
  return address === undefined ? [] : [{ kind: 'address', owner, ttlS, address }]
}

/** The codec does not look at the length of an address record; what is none of its family is left out. */
function addressText(type: RecordType, text: string): string | undefined {
  const host = parseHost(text)
  return host.kind === (type === 'A' ? 'ipv4' : 'ipv6') ? formatHost(host) : undefined
}

function absence(authorities: readonly dnsPacket.Answer[]): number | undefined {
  const soa = authorities.find((each) => each.type === 'SOA')
  if (soa?.type !== 'SOA') return undefined
  return Math.min(ttlOf(soa.ttl), soa.data.minimum ?? 0)
}

/** With the highest bit set it counts as 0 (RFC 2181, section 8). */
const ttlOf = (seconds: number | undefined): number => (seconds === undefined || seconds > 0x7fffffff ? 0 : seconds)
