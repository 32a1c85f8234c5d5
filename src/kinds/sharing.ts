/** When two inbounds can share a port: what their clients say first must show which one they mean. */
import type { InboundConfig, SockoptConfig, TlsServerConfig } from '../settings/model.ts'
import { same } from '../settings/same.ts'
import type { InboundKind } from './inbound.ts'
import { type Opening, openingClash } from './opening.ts'
import type { TransportKind } from './transport.ts'

/** What is known of an inbound before a client has said anything. */
export interface Sharer {
  readonly tls?: SharerTls
  readonly opening: Opening | undefined
  readonly sockopt: SockoptConfig
}

export interface SharerTls {
  readonly settings: TlsServerConfig
  /** The application protocols that its transport can be carried behind; undefined: any. */
  readonly alpn: readonly string[] | undefined
  /** Lower-case names that it serves, `*.parent` and `*` for any among them; undefined until its certificates are read. */
  readonly names: readonly string[] | undefined
}

/** Undefined for what has its port for itself: ports that move, and what is not carried by TCP. */
export function sharerOf(
  config: InboundConfig,
  {
    inbounds,
    transports,
  }: { readonly inbounds: readonly InboundKind[]; readonly transports: readonly TransportKind[] },
  names?: readonly string[],
): Sharer | undefined {
  const { stream, allocate } = config
  const transport = transports.find(({ name }) => name === stream.network)
  const protocol = inbounds.find(({ kind }) => kind === config.protocol)
  if (!transport || !protocol || transport.carrier || allocate) return undefined
  const settings = stream.tls
  const alpn = transport.alpn ?? protocol.alpn
  const named = settings && settings.serverName !== '' ? [settings.serverName.toLowerCase()] : names
  return {
    ...(settings && { tls: { settings, alpn, names: named } }),
    opening: transport.opening?.(stream.transport) ?? protocol.opening,
    sockopt: stream.sockopt,
  }
}

/** Why two inbounds on one port are not told apart; undefined: they are, as far as is known. */
export function sharingClash(a: Sharer, b: Sharer): string | undefined {
  if (!same(a.sockopt, b.sockopt)) return 'they have one socket, and their "sockopt" differ'
  if (a.tls && b.tls) return tlsClash(a.tls, b.tls) ?? (together(a.tls, b.tls) ? insideClash(a, b) : undefined)
  if (!a.tls && !b.tls) return insideClash(a, b)
  // Every client of one of them begins with a ClientHello.
  const plain = a.tls ? b : a
  return plain.opening ? undefined : 'clients of the one without TLS need not speak first'
}

const insideClash = (a: Sharer, b: Sharer): string | undefined => openingClash(a.opening, b.opening)

/** Whether two inbounds have one TLS: which one is meant then shows inside. */
export const together = (a: SharerTls, b: SharerTls): boolean => same(a.settings, b.settings) && !byProtocol(a, b)

/** Whether the application protocol shows which is meant. */
const byProtocol = (a: SharerTls, b: SharerTls): boolean =>
  a.alpn !== undefined && b.alpn !== undefined && !a.alpn.some((name) => b.alpn!.includes(name))

function tlsClash(a: SharerTls, b: SharerTls): string | undefined {
  if (together(a, b) || byProtocol(a, b)) return undefined
  // Who asks for no name that is served gets the first.
  if (b.names?.length === 0) return 'no name is in the certificate of the second, and their "tlsSettings" differ'
  const name = a.names?.find((one) => b.names?.includes(one))
  if (name === undefined) return undefined
  return `both serve ${name === '*' ? 'any name' : `the name ${name}`} with "tlsSettings" that differ`
}
