/** Which of several inbounds on one port a client means. */
import type { Layer } from '../../../core/dialer.ts'
import type { ProxyError } from '../../../core/errors.ts'
import { requestedOf, takesHttp2 } from '../../../kinds/opening.ts'
import { type Sharer, type SharerTls, together } from '../../../kinds/sharing.ts'
import type { Hello, Seen } from './first-bytes.ts'

/** By what an inbound is told apart from others on its port, and what it takes to find out. */
export interface Claim {
  readonly sharer: Sharer
  /** Its TLS. */
  readonly secure?: Layer | undefined
  /** What the certificates of its TLS are for at this moment. */
  readonly names: () => readonly string[]
  readonly handshakeTimeoutMs: number
  /** Told of clients that were turned away. */
  readonly refused: (remote: string, error: ProxyError) => void
}

/** Who has a claim: an inbound's port. */
export interface Claimant {
  readonly claim: Claim
}

/** Claimants with one TLS: which of them is meant shows only inside. */
export interface TlsSet<C extends Claimant> {
  readonly members: readonly C[]
  /** The member whose TLS does for all: it offers only what each of them can be carried behind. */
  readonly first: C
}

export function tlsSets<C extends Claimant>(claimants: readonly C[]): TlsSet<C>[] {
  const sets: C[][] = []
  for (const claimant of claimants) {
    const tls = tlsOf(claimant)
    if (!tls) continue
    const set = sets.find((members) => members.every((member) => together(tlsOf(member)!, tls)))
    if (set) set.push(claimant)
    else sets.push([claimant])
  }
  return sets.map((members) => ({
    members,
    first: members.find((member) => tlsOf(member)!.alpn !== undefined) ?? members[0]!,
  }))
}

const tlsOf = ({ claim }: Claimant): SharerTls | undefined => claim.sharer.tls

/**
 * The set that serves the name that a client asks for, by itself rather than with many; who asks for none that is served, or
 * for no name, gets the first. Between several with that name the application protocol decides.
 */
export function chooseTls<C extends Claimant>(sets: readonly TlsSet<C>[], { name, protocols }: Hello): TlsSet<C> {
  const parent = `*${name.slice(name.indexOf('.'))}`
  const serving = (wanted: string) => sets.filter(({ first }) => namesOf(first.claim).includes(wanted))
  const choices = [name, parent, '*'].map(serving).find(({ length }) => length > 0) ?? [sets[0]!]
  for (const protocol of protocols) {
    const able = choices.find(({ first }) => tlsOf(first)!.alpn?.includes(protocol))
    if (able) return able
  }
  return choices[0]!
}

function namesOf({ sharer: { tls }, names }: Claim): readonly string[] {
  const { serverName } = tls!.settings
  return serverName === '' ? names() : [serverName.toLowerCase()]
}

/**
 * Who is meant by what a client says outside TLS, or inside: whoever it fits, else who answers strangers in the same
 * language, else the first.
 */
export function choosePlain<C extends Claimant>(claimants: readonly C[], seen: Seen): C {
  const opening = ({ claim }: C) => claim.sharer.opening
  const kind = (wanted: string) => claimants.find((claimant) => opening(claimant)?.kind === wanted)
  const http2 = () => claimants.find((claimant) => opening(claimant) && takesHttp2(opening(claimant)!))
  const other = (wanted: string) => (wanted === 'http2' ? http2() : kind(wanted))
  const meant = seen.kind === 'request' ? requestedOf(claimants, opening, seen) : other(seen.kind)
  const strangers = seen.kind === 'tls' ? ['bytes', 'request'] : ['request', 'bytes']
  return meant ?? strangers.map(kind).find((found) => found !== undefined) ?? claimants[0]!
}
