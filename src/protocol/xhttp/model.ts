/** What xhttp's two sides have to agree on: where a request says which stream it is for, and how it is padded. */

/** A number is drawn from `from` up to, but not including, `to`; it is `from` where both are the same. */
export interface Range {
  readonly from: number
  readonly to: number
}

/** Where a word of a request stands. In a path the session id comes before the number. */
export interface Place {
  readonly at: 'path' | 'query' | 'header' | 'cookie'
  /** Name of the parameter, header or cookie; of no use in a path. */
  readonly key: string
}

/** Letters that make requests and answers of differing length. */
export interface Padding {
  /** How many. A server takes no request with fewer or more. */
  readonly bytes: Range
  /** Absent: the query of `Referer` in a request, `X-Padding` in an answer. */
  readonly placed?: {
    readonly at: 'cookie' | 'header' | 'query' | 'queryInHeader'
    readonly key: string
    readonly header: string
  }
  /** `tokenish`: letters and digits at random, of which `bytes` says how many bytes HPACK makes. */
  readonly method: 'repeat-x' | 'tokenish'
}

/** Where the bytes of a numbered upload are. */
export interface DataPlace {
  /** A server that is left the choice (`auto`) puts together what all three have; a client then uses the body. */
  readonly at: 'auto' | 'body' | 'header' | 'cookie'
  readonly key: string
  /** Length of each piece in a header or cookie. */
  readonly chunk: Range
}

export type Mode = 'auto' | 'packet-up' | 'stream-up' | 'stream-one'

/** The part of the settings that shows on the wire. */
export interface Shape {
  /** Path before session id and number, as it is configured; ends with a slash where either stands in the path. */
  readonly base: string
  /** What a client sends behind the path, without question mark. */
  readonly query: string
  readonly mode: Mode
  readonly session: Place
  readonly seq: Place
  readonly data: DataPlace
  readonly padding: Padding
  /** Method of an upload. */
  readonly method: string
}

/** The least that is asked of randomness here. */
export interface Draw {
  /** A uniform integer in [0, limit). */
  below(limit: number): number
}

export const draw = (random: Draw, { from, to }: Range): number => (to > from ? from + random.below(to - from) : from)
