/** The type of a configuration as programs write it, derived from the schemas that read it. */
import type { z } from 'zod'
import type { inbounds, outbounds, transports } from '../builtin/kinds.ts'
import type { JsonNode } from '../schema/tree.ts'
import type { inboundSchema } from './ends/inbound.ts'
import type { otherSettings } from './ends/network.ts'
import type { outboundSchema } from './ends/outbound.ts'
import type { rootSchema } from './root.ts'

/** Null is as good as absent everywhere, lists may be frozen, and what is decoded later is anything here. */
type Written<T> = T extends JsonNode
  ? unknown
  : T extends readonly (infer Item)[]
    ? readonly Written<Item>[]
    : T extends object
      ? { readonly [K in keyof T]: Written<T[K]> | null }
      : T

/** `protocol` and the `settings` that go with it. */
type Kind<K> = K extends { readonly kind: infer Name; readonly schema: infer S extends z.ZodType }
  ? { readonly protocol: Name; readonly settings?: Written<z.input<S>> | null | undefined }
  : never

/** Settings of transports under all their names. */
type Transports<T> = (
  T extends { readonly settingsKeys: infer Keys; readonly schema: infer S extends z.ZodType }
    ? (settings: { readonly [K in keyof Keys]?: z.input<S> | undefined }) => void
    : never
) extends (settings: infer All) => void
  ? All
  : never

type Stream<S> = S & Transports<(typeof transports)[number]> & Partial<{ [K in keyof typeof otherSettings]: object }>

/** An inbound or outbound: what all of them have, and what goes with the protocol. */
type End<S extends { streamSettings?: object | undefined }, K> = Omit<
  Written<
    Omit<S, 'streamSettings'> & { readonly streamSettings?: Stream<NonNullable<S['streamSettings']>> | undefined }
  >,
  'protocol' | 'settings'
> &
  Kind<K>

export type InboundInput = End<z.input<ReturnType<typeof inboundSchema>>, (typeof inbounds)[number]>
export type OutboundInput = End<z.input<ReturnType<typeof outboundSchema>>, (typeof outbounds)[number]>

type Root = z.input<ReturnType<typeof rootSchema>>

/** V2Ray's and Xray's JSON as a value. What no schema names, such as comments, has to be asserted. */
export type ConfigInput = Omit<Written<Root>, 'inbounds' | 'outbounds' | 'transport'> & {
  readonly transport?: Written<Stream<NonNullable<Root['transport']>>> | null | undefined
  readonly inbounds?: readonly InboundInput[] | null | undefined
  readonly outbounds?: readonly OutboundInput[] | null | undefined
}
