/** What a protocol brings to the configuration. Adding one is a `config.ts` of this form and a line in kinds.ts. */
import type { z } from 'zod'
import type { InboundConfig, OutboundConfig, OutboundStreamConfig } from '../settings/model.ts'
import type { Context } from './context.ts'

interface KindBase<S extends z.ZodType> {
  /** Other spellings of `protocol`. */
  readonly aliases: readonly string[]
  /** One line for editors and the reference. */
  readonly description: string
  readonly schema: S
}

export interface InboundKind<S extends z.ZodType = z.ZodType, K extends string = string, T = unknown>
  extends KindBase<S> {
  readonly kind: K
  /** True for proxies that anybody who can connect may use, unless `settings` ask for a password. */
  readonly open?: (settings: T) => boolean
  /** Settings from decoded JSON, or undefined after reporting an error. */
  build(input: z.output<S>, context: Context): T | undefined
}

export interface OutboundKind<S extends z.ZodType = z.ZodType, K extends string = string, T = unknown>
  extends KindBase<S> {
  readonly kind: K
  /** As for inbounds; `stream` is what carries the protocol. */
  build(input: z.output<S>, context: Context, stream: OutboundStreamConfig): T | undefined
}

type SettingsOf<U extends { protocol: string; settings: unknown }, K> = Extract<U, { protocol: K }>['settings']

/** Checks that a kind builds what its member of the model holds. */
export const defineInbound = <S extends z.ZodType, K extends InboundConfig['protocol']>(
  kind: InboundKind<S, K, SettingsOf<InboundConfig, K>>,
): InboundKind<S, K, SettingsOf<InboundConfig, K>> => kind

/** Checks that a kind builds what its member of the model holds. */
export const defineOutbound = <S extends z.ZodType, K extends OutboundConfig['protocol']>(
  kind: OutboundKind<S, K, SettingsOf<OutboundConfig, K>>,
): OutboundKind<S, K, SettingsOf<OutboundConfig, K>> => kind
