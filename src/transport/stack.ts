/**
 * The fourth of the five files of the data path: how "the server" is reached. A transport is a function from dialer to
 * dialer (and from one who accepts to one who accepts), so TLS over TCP and WebSocket over TLS over TCP are the same
 * mechanism: a fold.
 */
import type { Conn } from '../core/conn.ts'
import type { Dialer, Layer, Passage } from '../core/dialer.ts'

/** The dialer that opens `layers` over `base`, innermost first: `[tls, ws]` is WebSocket inside TLS. */
export const dialerStack = (base: Dialer, layers: readonly Layer[]): Dialer =>
  layers.reduce((dialer, layer) => closing(layer.client(dialer), dialer), base)

/** What is below is closed too. */
const closing = (dialer: Dialer, below: Dialer): Dialer => {
  if (!below.close) return dialer
  const close = (): void => {
    dialer.close?.()
    below.close?.()
  }
  return { dial: (to, options) => dialer.dial(to, options), close }
}

/** The passage through `layers`, in the same order, to `accept`. */
export const passageStack = (layers: readonly Layer[], accept: (conn: Conn) => void): Passage =>
  layers.reduceRight(
    (next, layer) =>
      before(
        layer.server((conn) => next.receive(conn)),
        next,
      ),
    through(accept),
  )

/** The passage of an inbound, and the part of it behind TLS, for what came out of a TLS that several share. */
export interface Way {
  readonly whole: Passage
  readonly inside: Passage
}

/** The way through TLS, where there is one, and the layers over it to `accept`. */
export function wayThrough(secure: Layer | undefined, layers: readonly Layer[], accept: (conn: Conn) => void): Way {
  const inside = passageStack(layers, accept)
  const whole = secure
    ? before(
        secure.server((conn) => inside.receive(conn)),
        inside,
      )
    : inside
  return { whole, inside }
}

/** No way at all. */
const through = (accept: (conn: Conn) => void): Passage => ({ receive: accept, pending: 0, close() {} })

const before = (first: Passage, next: Passage): Passage => ({
  receive: (carrier) => first.receive(carrier),
  get pending() {
    return first.pending + next.pending
  },
  close() {
    first.close()
    next.close()
  },
})
