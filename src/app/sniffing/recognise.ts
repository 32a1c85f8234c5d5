import { parseHost } from '../../core/address.ts'
import type { Clock, Env } from '../../core/env.ts'
import type { Session } from '../../core/session.ts'
import type { Sniffed } from '../../protocol/sniff/model.ts'
import type { SniffingConfig } from '../../settings/sniffing.ts'
import { isExcluded } from './excluded.ts'

/** The longest that first bytes are waited for, ms: as the peers do. Where the server speaks first that is what it costs. */
export const sniffMs = 200

/** A flow's end whose first bytes were looked at. */
export interface Looked<E> {
  /** It, from its first byte on. */
  readonly from: E
  readonly sniffed?: Sniffed
}

/** What was found out about a flow. */
export interface Findings {
  /** What its first bytes are. */
  readonly sniffed?: Sniffed
  /** The name behind a made-up target; `''`: it is one, and nobody was given it. */
  readonly fake?: string | undefined
}

export interface RecogniseDeps {
  readonly env: Pick<Env, 'clock'>
  /** The name behind a made-up address; `''` for one that nobody was given; undefined for a real one. */
  readonly fakeName?: (host: string) => string | undefined
}

/** Finds out what a flow is and writes it into the session. Gives the client's end, from its first byte on. */
export async function recognise<E>(
  near: E,
  session: Session,
  sniffing: SniffingConfig,
  look: (near: E, session: Session, clock: Clock) => Promise<Looked<E>>,
  { env, fakeName }: RecogniseDeps,
): Promise<E> {
  const fake = fakeName?.(session.target.host)
  const { from, sniffed }: Looked<E> = sniffing.metadataOnly ? { from: near } : await look(near, session, env.clock)
  apply(session, { ...(sniffed && { sniffed }), fake }, sniffing)
  return from
}

/** Writes down what was found out, and where the flow goes by that. A made-up target never stays one if it can be helped. */
export function apply(session: Session, { sniffed, fake }: Findings, sniffing: SniffingConfig): void {
  const protocol = sniffed?.protocol ?? (fake ? 'fakedns' : undefined)
  if (protocol === undefined) return
  session.protocol = protocol
  if (sniffed?.attributes) session.seenAttributes = sniffed.attributes
  const host = hostOf(fake || sniffed?.domain || '')
  if (host === undefined || !replaces(sniffing, protocol, fake) || isExcluded(sniffing, session, host)) return
  const named = { host, port: session.target.port }
  if (sniffing.routeOnly && fake === undefined) session.ruledBy = named
  else session.routed = named
}

/** As with Xray, whose words match from both sides. */
function replaces({ override }: SniffingConfig, protocol: string, fake: string | undefined): boolean {
  const among = (name: string): boolean => override.some((word) => name.startsWith(word) || word.startsWith(name))
  if (fake) return among('fakedns')
  return among(protocol) || (fake === '' && protocol !== 'bittorrent' && among('fakedns'))
}

/** Without brackets; undefined where there is none: brackets, dots and colons alone make no address. */
function hostOf(domain: string): string | undefined {
  const host = domain.startsWith('[') ? domain.slice(1, -1) : domain
  return host === '' || (/[[\]:]/.test(host) && parseHost(host).kind !== 'ipv6') ? undefined : host
}
