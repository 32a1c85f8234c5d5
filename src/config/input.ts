/** The type of a configuration as programs write it, derived from the schemas that read it. */
import type { z } from 'zod'
import type { JsonNode } from '../schema/tree.ts'
import type { inboundSchema } from './ends/inbound.ts'
import type { inboundKinds, outboundKinds } from './ends/kinds.ts'
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

type End<S extends z.ZodType, K> = Omit<Written<z.input<S>>, 'protocol' | 'settings'> & Kind<K>

export type InboundInput = End<typeof inboundSchema, (typeof inboundKinds)[number]>
export type OutboundInput = End<typeof outboundSchema, (typeof outboundKinds)[number]>

/** V2Ray's and Xray's JSON as a value. What no schema names, such as comments, has to be asserted. */
export type ConfigInput = Omit<Written<z.input<typeof rootSchema>>, 'inbounds' | 'outbounds'> & {
  readonly inbounds?: readonly InboundInput[] | null | undefined
  readonly outbounds?: readonly OutboundInput[] | null | undefined
}
