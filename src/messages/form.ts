import type { Family, Typed } from './fields.ts'

/** How a kind is said in the messages of the gRPC API. */
export interface MessageForm {
  /** Without the beginning that tells the families apart: `proxy.vmess.inbound.Config`. */
  readonly name: string
  /** Where a message of this name means the kind in one family only. */
  readonly family?: Family
  /** The fields of the message, as protobufjs writes them in JSON; absent where a .proto file of the API has them. */
  readonly fields?: Readonly<Record<string, { readonly id: number; readonly type: string; readonly rule?: 'repeated' }>>
  /** The settings as JSON; the loader says what is wrong with them. Throws StatusError for what has no place there. */
  json(typed: Typed): object
}

/** Whether a message is of this form. */
export const isOfForm = ({ name, family }: MessageForm, typed: Typed): boolean =>
  name === typed.name && (family === undefined || family === typed.family)
