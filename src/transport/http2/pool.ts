import { type Address, formatAddress } from '../../core/address.ts'
import type { Conn } from '../../core/conn.ts'
import type { Dialer, DialOptions } from '../../core/dialer.ts'
import type { Cancel, Clock } from '../../core/env.ts'
import { Life, type Lifetime } from '../../core/lifetime.ts'
import { limits } from '../../core/limits.ts'
import { abortError } from '../../net/errors.ts'
import { type ClientSessionOptions, openSession } from './client-session.ts'
import type { ClientSession, ClientStream, OutgoingHttpHeaders, StreamKind } from './model.ts'
import { RetriedConn } from './retried-conn.ts'

export interface Asked {
  readonly headers: OutgoingHttpHeaders
  readonly kind: StreamKind
}

/** Sessions that are over before they take a request. */
const mostTries = 3

/**
 * Sessions with servers, by the address that is dialled: requests share one while it takes more. One without a request is
 * closed after `limits.http2ClientIdleMs`. Whoever needs one while the first is being dialled waits for that.
 */
export class SessionPool {
  readonly #base: Dialer
  readonly #clock: Clock
  readonly #options: ClientSessionOptions
  readonly #sessions = new Map<string, Set<ClientSession>>()
  readonly #dials = new Map<string, SharedDial>()
  #closed = false

  constructor(base: Dialer, clock: Clock, options: ClientSessionOptions = {}) {
    this.#base = base
    this.#clock = clock
    this.#options = options
  }

  /** A session that takes a request now: make it at once. Rejects as the base dialer does. */
  async session(to: Address, options: DialOptions): Promise<ClientSession> {
    const key = formatAddress(to)
    for (;;) {
      for (const session of this.#sessions.get(key) ?? []) if (session.usable) return session
      const session = await this.#dial(key, to, options)
      // Others who waited for the same dial may have used it up. Without any it is broken, and says so to a request.
      if (session.usable || session.gone || session.open === 0) return session
    }
  }

  /**
   * Makes a request of the session that takes it, or another where the server has just ended that. What `made` says of each
   * stream holds for the one that stays; the Conn is that of whichever was not refused unseen.
   */
  async request(to: Address, asked: Asked, options: DialOptions, made: (stream: ClientStream) => void): Promise<Conn> {
    const request = async (until: Lifetime): Promise<ClientStream> => {
      const stream = await this.#request(to, asked, { ...options, until })
      made(stream)
      return stream
    }
    return new RetriedConn(this.#clock, await request(options.until), request)
  }

  async #request(to: Address, { headers, kind }: Asked, options: DialOptions): Promise<ClientStream> {
    for (let tries = 1; ; tries++) {
      const session = await this.session(to, options)
      try {
        return session.request(headers, kind)
      } catch (error) {
        if (tries === mostTries) throw error
        session.retire()
      }
    }
  }

  /** No further requests; sessions end with the last of those in progress. */
  close(): void {
    this.#closed = true
    for (const all of this.#sessions.values()) for (const session of all) session.retire()
  }

  #dial(key: string, to: Address, options: DialOptions): Promise<ClientSession> {
    let dial = this.#dials.get(key)
    if (!dial) {
      const begun = new SharedDial((until) => this.#open(key, to, { ...options, until }))
      this.#dials.set(key, begun)
      const over = (): void => {
        if (this.#dials.get(key) === begun) this.#dials.delete(key)
      }
      begun.result.then(over, over)
      begun.onLeft = over
      dial = begun
    }
    return dial.wait(options, key)
  }

  async #open(key: string, to: Address, options: DialOptions): Promise<ClientSession> {
    const carrier = await this.#base.dial(to, options)
    const session = openSession(carrier, this.#clock, this.#options)
    this.#keep(key, session)
    return session
  }

  #keep(key: string, session: ClientSession): void {
    const all = this.#sessions.get(key) ?? new Set()
    this.#sessions.set(key, all.add(session))
    let cancel: Cancel = () => {}
    const idle = (): void => {
      cancel()
      cancel = this.#clock.after(limits.http2ClientIdleMs, () => session.open === 0 && session.retire())
    }
    if (this.#closed) session.retire()
    else idle()
    session.onIdle(() => session.open === 0 && !session.gone && !this.#closed && idle())
    session.onGone(() => {
      cancel()
      all.delete(session)
      if (all.size === 0 && this.#sessions.get(key) === all) this.#sessions.delete(key)
    })
  }
}

/** A dial that several wait for: it is given up when the last of them has gone. */
class SharedDial {
  readonly result: Promise<ClientSession>
  readonly #life = new Life()
  #waiting = 0
  /** Called when nobody waits any more. */
  onLeft: () => void = () => {}

  constructor(dial: (until: Life) => Promise<ClientSession>) {
    this.result = dial(this.#life)
    this.result.catch(() => {})
  }

  wait({ until }: DialOptions, to: string): Promise<ClientSession> {
    this.#waiting++
    return new Promise((resolve, reject) => {
      const cancel = until.onGone((why) => {
        reject(abortError(why, to))
        if (--this.#waiting > 0) return
        this.onLeft()
        this.#life.end(why)
      })
      this.result.then(resolve, reject).finally(cancel)
    })
  }
}
