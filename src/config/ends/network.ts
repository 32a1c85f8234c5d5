/** `network`: which transport carries a stream. */
import { lookUp } from '../../core/lookup.ts'
import { type Kinds, plainTransport, type TransportKind, transportNames, transportOf } from '../../kinds/kinds.ts'
import type { Context } from '../../schema/context.ts'
import { oneOf } from '../../schema/expected.ts'
import { anyObject } from '../../schema/fields.ts'
import { shorten } from '../../schema/report.ts'
import { didYouMean } from '../../schema/suggest.ts'

/** Transports that V2Ray or Xray have. */
const otherTransports: Readonly<Record<string, string>> = {
  quic: 'QUIC',
  hysteria: 'Hysteria',
  hysteria2: 'Hysteria',
  hy2: 'Hysteria',
}

/** Their settings. */
export const otherSettings = {
  quicSettings: anyObject('QUIC.'),
  hysteriaSettings: anyObject('Hysteria.'),
} as const

interface NetworkInput {
  readonly network?: string | undefined
  readonly method?: string | undefined
}

/** The transport that is asked for; undefined after an error. */
export function readNetwork(
  input: NetworkInput & object,
  kinds: Kinds,
  { report }: Context,
): TransportKind | undefined {
  const names = transportNames(kinds)
  const key = input.method === undefined ? 'network' : 'method'
  const place = report.at(input, key)
  if (input.method !== undefined && input.network !== undefined && input.method !== input.network) {
    report.warn('CFG035', report.at(input, 'network'), '"network" is ignored because "method" is there')
  }
  const written = input[key]
  if (written === undefined) return report.wrote(input, key) ? undefined : plainTransport(kinds)
  const word = written.toLowerCase()
  if (word === '') {
    const message = `"${key}" is empty, which V2Ray and Xray refuse; expected ${oneOf(names)}`
    report.error('CFG100', place, message, `leave "${key}" out for tcp`)
    return undefined
  }
  const kind = transportOf(kinds, word)
  if (kind) return kind
  const other = lookUp(otherTransports, word)
  if (other) {
    const message = `"${word}": the ${other} transport is not available in this version, only ${oneOf(names)}`
    report.error('CFG033', place, message)
  } else {
    const all = [...names, ...Object.keys(otherTransports)]
    const message = `unknown transport ${JSON.stringify(shorten(written))}, expected ${oneOf(names)}`
    report.error('CFG100', place, message, didYouMean(word, all))
  }
  return undefined
}
