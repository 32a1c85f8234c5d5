import { ProxyError } from '../core/errors.ts'
import { limits } from '../core/limits.ts'
import type { Answer, Question } from './answer.ts'
import type { Query, Reply } from './wire.ts'

/** Aliases followed inside one answer. */
const aliasesMax = 16

/** True for the reply to this very query. Whoever refuses to read a query may leave its question out. */
export function repliesTo({ id, question }: Query, reply: Reply): boolean {
  if (reply.id !== id) return false
  if (!reply.question) return reply.rcode === 'FORMERR' || reply.rcode === 'NOTIMP'
  return reply.question.name === question.name && reply.question.type === question.type
}

/** The server understood the question but not EDNS. */
export const refusesEdns = ({ rcode }: Reply): boolean =>
  rcode === 'FORMERR' || rcode === 'NOTIMP' || rcode === 'BADVERS'

/**
 * What a whole reply says: aliases are followed inside it, and only addresses of the name at their end count.
 *
 * @throws ProxyError DNS_FAILED where the server had nothing to say: another one may
 */
export function answerOf(question: Question, reply: Reply, label: string): Answer {
  const exists = reply.rcode !== 'NXDOMAIN'
  if (exists && reply.rcode !== 'NOERROR') {
    throw new ProxyError('DNS_FAILED', `name server ${label} answers ${reply.rcode} for ${question.name}`)
  }
  const { name, ttlS } = followAliases(question.name, reply)
  const found = reply.records.filter((each) => each.kind === 'address' && each.owner === name)
  const ttl = Math.min(ttlS, ...found.map((each) => each.ttlS))
  if (found.length === 0) {
    return { addresses: [], exists, ttlMs: Math.min(ttl, reply.absentS ?? 0, limits.dnsAbsentMaxS) * 1000 }
  }
  const addresses = new Set(found.map((each) => (each.kind === 'address' ? each.address : '')))
  return {
    addresses: [...addresses].slice(0, limits.dnsAddresses),
    exists: true,
    ttlMs: Math.min(ttl, limits.dnsTtlMaxS) * 1000,
  }
}

function followAliases(first: string, { records }: Reply): { name: string; ttlS: number } {
  let name = first
  let ttlS = Number.POSITIVE_INFINITY
  for (let step = 0; step < aliasesMax; step++) {
    const alias = records.find((each) => each.kind === 'alias' && each.owner === name)
    if (alias?.kind !== 'alias') break
    name = alias.target
    ttlS = Math.min(ttlS, alias.ttlS)
  }
  return { name, ttlS }
}
