/** What is asked, who answers, and what an answer says. */

import type { Lifetime } from '../core/lifetime.ts'
import type { RecordType } from '../core/name-service.ts'

export type { RecordType } from '../core/name-service.ts'

export interface Question {
  /** Lower case, at most 253 characters, no dot at the end. */
  readonly name: string
  readonly type: RecordType
}

export interface Answer {
  /** IP addresses of the type asked for, in the order of the answer. None: the name has no such address. */
  readonly addresses: readonly string[]
  /** False: there is no such name, with records of whatever type. */
  readonly exists: boolean
  /** How long it holds, ms. 0: it is for those who have asked and for nobody later. */
  readonly ttlMs: number
}

/** Somebody who answers questions: over UDP and TCP here; what speaks another language is another one. */
export interface NameServer {
  /** For log lines and messages. */
  readonly label: string
  /** When it last replied, whatever it said, in elapsed ms; undefined: never. */
  readonly heardMs: number | undefined
  /** Rejects with DNS_FAILED when there is no usable answer, or with why `until` is over. */
  ask(question: Question, until: Lifetime): Promise<Answer>
}
