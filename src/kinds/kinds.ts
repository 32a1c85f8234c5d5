/** What a configuration can name. Loader, instance, links, APIs, reference and editor schema are given one of these. */
import type { MessageForm } from '../messages/form.ts'
import type { InboundKind } from './inbound.ts'
import type { OutboundKind } from './outbound.ts'
import type { SecurityKind, TransportKind } from './transport.ts'

export { defineInbound, type InboundDeps, type InboundKind } from './inbound.ts'
export * from './opening.ts'
export { defineOutbound, type OutboundDeps, type OutboundKind } from './outbound.ts'
export * from './transport.ts'

export interface Kinds {
  readonly inbounds: readonly InboundKind[]
  readonly outbounds: readonly OutboundKind[]
  readonly transports: readonly TransportKind[]
  readonly tls: SecurityKind
}

/** Makes something of kinds once, and remembers it for as long as they are in use. */
export function perKinds<T>(make: (kinds: Kinds) => T): (kinds: Kinds) => T {
  const made = new WeakMap<Kinds, T>()
  return (kinds) => {
    const known = made.get(kinds)
    if (known !== undefined) return known
    const fresh = make(kinds)
    made.set(kinds, fresh)
    return fresh
  }
}

/** The transport that a word names, in lower case. */
export const transportOf = ({ transports }: Kinds, word: string): TransportKind | undefined =>
  transports.find(({ name, aliases }) => name === word || aliases.includes(word))

/** The unix socket that carries a stream; undefined for TCP. */
export const socketOf = (
  { network, transport }: { readonly network: string; readonly transport?: unknown },
  kinds: Kinds,
): string | undefined => transportOf(kinds, network)?.socket?.(transport)

/** The name of its settings of which there is nothing more to say. */
export function settingsKey({ settingsKeys }: TransportKind): string {
  const names = Object.keys(settingsKeys)
  return names.find((name) => settingsKeys[name] === undefined) ?? names[0]!
}

/** What carries a stream that names no transport: tcp, where it is among the kinds. */
export const plainTransport = (kinds: Kinds): TransportKind | undefined =>
  transportOf(kinds, 'tcp') ?? kinds.transports[0]

/** Every spelling of every transport. */
export const transportNames = ({ transports }: Kinds): string[] =>
  transports.flatMap(({ name, aliases }) => [name, ...aliases])

export const messagesOf = ({ inbounds, outbounds, transports, tls }: Kinds): readonly MessageForm[] =>
  [...inbounds, ...outbounds, ...transports, tls].flatMap(({ message }) => message ?? [])
