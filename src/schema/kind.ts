/**
 * What kinds bring to the configuration: the form of their settings. The `config.ts` of a kind holds one; together with what
 * makes the thing itself it is a kind (src/kinds).
 */
import type { z } from 'zod'
import type { InboundConfig, OutboundConfig, OutboundStreamConfig } from '../settings/model.ts'
import type { Context } from './context.ts'
import type { FinalmaskInput } from './parts/finalmask.ts'

interface FormBase<S extends z.ZodType> {
  /** Other spellings of `protocol`. */
  readonly aliases: readonly string[]
  /** One line for editors and the reference. */
  readonly description: string
  readonly schema: S
}

export interface InboundForm<S extends z.ZodType = z.ZodType, K extends string = string, T = unknown>
  extends FormBase<S> {
  readonly kind: K
  /** True for proxies that anybody who can connect may use, unless `settings` ask for a password. */
  open?(settings: T): boolean
  /** Settings from decoded JSON, or undefined after reporting an error. */
  build(input: z.output<S>, context: Context): T | undefined
}

export interface OutboundForm<S extends z.ZodType = z.ZodType, K extends string = string, T = unknown>
  extends FormBase<S> {
  readonly kind: K
  /** As for inbounds; `stream` is what carries the protocol. */
  build(input: z.output<S>, context: Context, stream: OutboundStreamConfig): T | undefined
}

type SettingsOf<U extends { protocol: string; settings: unknown }, K> = Extract<U, { protocol: K }>['settings']

/** Checks that a kind builds what its member of the model holds. */
export const inboundForm = <S extends z.ZodType, K extends InboundConfig['protocol']>(
  kind: InboundForm<S, K, SettingsOf<InboundConfig, K>>,
): InboundForm<S, K, SettingsOf<InboundConfig, K>> => kind

/** Checks that a kind builds what its member of the model holds. */
export const outboundForm = <S extends z.ZodType, K extends OutboundConfig['protocol']>(
  kind: OutboundForm<S, K, SettingsOf<OutboundConfig, K>>,
): OutboundForm<S, K, SettingsOf<OutboundConfig, K>> => kind

/** A transport: what carries a protocol, over TCP or over what it is given. */
export interface TransportForm<S extends z.ZodType = z.ZodType, K extends string = string, T = unknown> {
  /** The word in `network`. */
  readonly name: string
  /** Other spellings of it. */
  readonly aliases: readonly string[]
  /** One line for editors and the reference. */
  readonly description: string
  readonly schema: S
  /** What its settings are called in `streamSettings`, with what to say of each beside the schema; the last one that is written wins. */
  readonly settingsKeys: { readonly [key in K]: string | undefined }
  /** A server of it reads requests of HTTP as a web server does: `fallback` and `trustedProxies` mean something. */
  readonly readsRequests?: boolean
  /** An application protocol that, where TLS names no other, asks for a form of it that is not there: its name, and what it is. */
  readonly refusesAlpn?: { readonly name: string; readonly what: string }
  /** Whether it knows what to do with Xray's `finalmask`. */
  readonly takesMasks?: boolean
  /** Settings from decoded JSON, from undefined where nothing was written. Mistakes are reported. `finalmask`: given where it takes masks. */
  build(input: z.output<S> | undefined, context: Context, finalmask?: FinalmaskInput): T
}

export const transportForm = <S extends z.ZodType, K extends string, T>(
  form: TransportForm<S, K, T>,
): TransportForm<S, K, T> => form

/** What protects a transport. Its settings are decoded only where it is asked for. */
export interface SecurityForm<S extends z.ZodType = z.ZodType, C = unknown, V = unknown> {
  readonly schema: S
  buildClient(input: z.output<S>, context: Context): C
  buildServer(input: z.output<S>, context: Context): V
}
