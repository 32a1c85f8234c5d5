import { oneOf } from '../../schema/expected.ts'
import { shorten } from '../../schema/report.ts'
import { didYouMean } from '../../schema/suggest.ts'

/** What rules may name. */
export interface Tags {
  readonly inbounds: readonly string[]
  readonly outbounds: readonly string[]
  /** Outbounds that were left out: what leads there is blocked. */
  readonly leftOut: readonly string[]
  /** The API's. */
  readonly api: string | undefined
  /** E-mails of users and names of accounts; undefined: they cannot be told. */
  readonly users: readonly string[] | undefined
  /** Whether some inbound looks at first bytes. */
  readonly sniffs: boolean
  /** Whether outbounds are measured. */
  readonly observed: boolean
  /** Warnings are errors. */
  readonly strict: boolean
}

/** The nearest tag, or what tags there are. */
export function tagHint(tag: string, tags: readonly string[]): string | undefined {
  const named = [...new Set(tags)].filter((candidate) => candidate !== '')
  return (
    didYouMean(tag, named) ??
    (named.length > 0 ? `there is ${oneOf(named.slice(0, 8).map((name) => shorten(name)))}` : undefined)
  )
}
