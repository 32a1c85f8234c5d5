import type { Control } from '../../control/control.ts'
import type { Clock, Logger } from '../../core/env.ts'
import type { Kinds } from '../../kinds/kinds.ts'
import type { Fields } from '../../messages/fields.ts'
import type { Types } from './types.ts'

/** What a service works with. */
export interface ServiceDeps {
  readonly control: Control
  readonly types: Types
  /** What can be added. */
  readonly kinds: Kinds
  readonly log: Logger
  readonly clock: Clock
}

/** Answers one call. What it throws becomes the status of the call. */
export type Method = (request: Fields) => object | Promise<object>

/** The methods of a service by their names. */
export type Methods = Readonly<Record<string, Method>>
