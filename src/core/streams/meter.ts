import type { Lifetime } from '../lifetime.ts'
import type { Totals } from '../session.ts'

/** What the bytes of one direction of a flow pass: counted always, held back where the user has a speed limit. */
export interface Meter {
  /** Plaintext bytes that are about to be written on. */
  add(bytes: number): void
  /** Present while a speed limit holds, which may come and go while the flow runs. */
  readonly pace: Pace | undefined
}

export interface Meters {
  /** From the client towards the target. */
  readonly uplink: Meter
  readonly downlink: Meter
}

/** Lets bytes through at the speed of a limit. */
export interface Pace {
  /**
   * Hands `bytes` to `write` in pieces, as they fall due. The bytes are lent until it returns, so what must wait is copied.
   * The promise settles when the source may go on; it rejects with what `write` rejected with, or why
   * `to`, the connection that is written to, is gone.
   */
  pass(bytes: Uint8Array, write: (piece: Uint8Array) => void | Promise<void>, to: Lifetime): void | Promise<void>
  /** Whether bytes for this connection wait for their turn. */
  holds(to: Lifetime): boolean
  /**
   * Whether a datagram of so many bytes for `to` may pass now; it is booked then. Datagrams do not wait: short bursts pass,
   * what goes beyond the limit for longer is dropped, first of those who take more than their share.
   */
  admit(bytes: number, to: Lifetime): boolean
}

/** Meters that only count. */
export function countInto(totals: Totals): Meters {
  const meter = (direction: keyof Totals): Meter => ({
    pace: undefined,
    add: (bytes) => {
      totals[direction] += bytes
    },
  })
  return { uplink: meter('uplink'), downlink: meter('downlink') }
}
