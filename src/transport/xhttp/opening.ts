import type { Address } from '../../core/address.ts'
import type { Conn } from '../../core/conn.ts'
import type { Dialer, DialOptions } from '../../core/dialer.ts'
import type { Cancel, Clock } from '../../core/env.ts'
import { limits } from '../../core/limits.ts'
import { dialDeadline } from '../../core/time/deadline.ts'
import { openSession } from '../http2/client-session.ts'
import type { ClientSession, KeepAliveOptions } from '../http2/model.ts'
import { alpnOf } from '../http2/preface.ts'

export interface OpeningOptions {
  readonly base: Dialer
  readonly to: Address
  readonly clock: Clock
  readonly keepAlive: KeepAliveOptions
  readonly dial: DialOptions
}

/** A carrier on its way to be a session of HTTP/2, which all wait for who are to have a stream in it. */
export class Opening {
  /** Undefined: the server chose HTTP/1.1. Rejects as the dial does. */
  readonly result: Promise<ClientSession | undefined>
  #session: ClientSession | undefined
  #failed = false
  #spare: Conn | undefined

  constructor(options: OpeningOptions) {
    this.result = this.#open(options)
    this.result.then(
      (session) => {
        this.#failed = session === undefined
      },
      () => {
        this.#failed = true
      },
    )
  }

  /** It takes no further stream. */
  get closed(): boolean {
    return this.#failed || (this.#session !== undefined && !this.#session.usable)
  }

  /** The carrier on which the server chose HTTP/1.1, for the first who asks. */
  takeSpare(): Conn | undefined {
    const spare = this.#spare
    this.#spare = undefined
    return spare
  }

  /** It ends with its last stream. */
  retire(): void {
    this.result.then(
      (session) => session?.retire(),
      () => {},
    )
  }

  async #open({ base, to, clock, keepAlive, dial }: OpeningOptions): Promise<ClientSession | undefined> {
    // Whoever asked for it first may leave before others who wait for it.
    const { until, done } = dialDeadline(clock)
    try {
      const carrier = await base.dial(to, { ...dial, until })
      const agreed = alpnOf(carrier)
      if (agreed !== 'h2') {
        this.#spare = carrier
        return undefined
      }
      this.#session = openSession(carrier, clock, { keepAlive })
      endWhenIdle(this.#session, clock)
      return this.#session
    } finally {
      done()
    }
  }
}

function endWhenIdle(session: ClientSession, clock: Clock): void {
  let cancel: Cancel = () => {}
  const idle = (): void => {
    cancel()
    if (session.open === 0 && !session.gone)
      cancel = clock.after(limits.http2ClientIdleMs, () => session.open === 0 && session.retire())
  }
  idle()
  session.onIdle(idle)
  session.onGone(() => cancel())
}
