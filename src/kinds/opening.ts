/** How a client's connections begin, once they are out of TLS: by that inbounds are told apart which share a port. */
export type Opening =
  | {
      /** A request of HTTP/1.1 for one of these. */
      readonly kind: 'request'
      /** Decoded, and without a query. */
      readonly paths: readonly string[]
      /** What is behind a path may be part of it: early data. */
      readonly longer?: boolean
      /** In lower case, without a port; `''`: any. */
      readonly host: string
      /** The preface of HTTP/2 as well, whatever is asked for in it. */
      readonly http2?: boolean
    }
  | { /** The preface of HTTP/2. */ readonly kind: 'http2' }
  | { /** Bytes that clients send without being asked, and that are no HTTP. */ readonly kind: 'bytes' }

type Requests = Extract<Opening, { kind: 'request' }>

/** Why two ways to begin are not told apart; undefined: they are. */
export function openingClash(a: Opening | undefined, b: Opening | undefined): string | undefined {
  if (!a || !b) return 'what clients send first does not show which of the two it is for'
  if (takesHttp2(a) && takesHttp2(b)) return 'both take HTTP/2'
  if (a.kind !== b.kind) return undefined
  if (a.kind === 'bytes') return 'both take whatever bytes come first'
  return requestClash(a as Requests, b as Requests)
}

export const takesHttp2 = (opening: Opening): boolean =>
  opening.kind === 'http2' || (opening.kind === 'request' && opening.http2 === true)

function requestClash(a: Requests, b: Requests): string | undefined {
  // Who asks for the host of one is for that one, and everybody else for the other.
  if (a.host !== b.host) return undefined
  const path = a.paths.find((one) => b.paths.some((other) => covers(a, one, other) || covers(b, other, one)))
  return path === undefined ? undefined : `both take requests for ${JSON.stringify(path)}${of(a.host)}`
}

const of = (host: string): string => (host === '' ? '' : ` of ${host}`)

const covers = ({ longer }: Requests, path: string, other: string): boolean =>
  longer ? other.startsWith(path) : other === path

/** What a request is for, as an Opening has it. */
export interface Asked {
  /** Undefined: it cannot be decoded. */
  readonly path: string | undefined
  readonly host: string
}

/** Which of these a request is for: who names its host comes first. Undefined: none. */
export function requestedOf<T>(
  choices: readonly T[],
  openingOf: (choice: T) => Opening | undefined,
  { path, host }: Asked,
): T | undefined {
  const meant = choices.filter((choice) => {
    const opening = openingOf(choice)
    if (opening?.kind !== 'request' || path === undefined) return false
    if (opening.host !== '' && opening.host !== host) return false
    return opening.paths.some((served) => covers(opening, served, path))
  })
  const byHost = meant.find((choice) => (openingOf(choice) as Requests).host !== '')
  return byHost ?? meant[0]
}
