/**
 * The last of the five files of the data path: two pumps joined back to back.
 *
 * 1. Each pump drains one side into the other; a batch is counted and written on while it is still lent. Where a speed
 *    limit holds it is written on piece by piece, and the source waits.
 * 2. When one side ends, the other is told (half-close) and a shorter idle limit holds for what remains.
 * 3. When both have ended, or one broke, or nothing passed for too long, both connections go.
 */

import type { Conn } from '../core/conn.ts'
import type { Cancel, Clock } from '../core/env.ts'
import { isProxyError, ProxyError, toProxyError } from '../core/errors.ts'
import type { Ended } from '../core/inbound.ts'
import type { Meters } from '../core/streams/meter.ts'
import { IdleTimer, type Idling, type RelayLimits } from './idle.ts'
import { pump } from './pump.ts'

/**
 * Carries bytes between `near` (the client) and `far` (towards the target) until both directions ended. Destroys both.
 * Tells `meters` as bytes pass. Resolves with the reason when the flow did not end in order; rejects only with a mistake of ours, never with a ProxyError.
 */
export const relay = (near: Conn, far: Conn, limits: RelayLimits, clock: Clock, meters: Meters): Promise<Ended> =>
  new Promise((resolve, reject) => new Relay(near, far, limits, meters, { resolve, reject }).start(clock))

type Settle = { resolve(reason: Ended): void; reject(mistake: unknown): void }

class Relay implements Idling {
  readonly #near: Conn
  readonly #far: Conn
  readonly #limits: RelayLimits
  readonly #meters: Meters
  readonly #settle: Settle
  #idle: IdleTimer | undefined
  /** Directions that are still read, and those that have not ended. */
  #draining = 2
  #open = 2
  #over = false
  #leaveNear: Cancel | undefined
  #leaveFar: Cancel | undefined

  constructor(near: Conn, far: Conn, limits: RelayLimits, meters: Meters, settle: Settle) {
    this.#near = near
    this.#far = far
    this.#limits = limits
    this.#meters = meters
    this.#settle = settle
  }

  start(clock: Clock): void {
    this.#idle = new IdleTimer(clock, this.#limits.connIdleMs, this)
    this.#leaveNear = this.#near.onGone(this.#onGone)
    this.#leaveFar = this.#far.onGone(this.#onGone)
    if (this.#over) {
      this.#end()
      return
    }
    pump(this.#near, this.#far, this.#meters.uplink, this.#idle).then(() => this.#uplinkEnded(), this.#failed)
    pump(this.#far, this.#near, this.#meters.downlink, this.#idle).then(() => this.#downlinkEnded(), this.#failed)
  }

  expired(): void {
    this.#finish(new ProxyError('IDLE_TIMEOUT', 'no byte passed within the idle limit'))
  }

  held(): boolean {
    const { uplink, downlink } = this.#meters
    return uplink.pace?.holds(this.#far) || downlink.pace?.holds(this.#near) || false
  }

  /** After one side has ended nobody reads it, yet its connection may die. */
  readonly #onGone = (why: Error): void => {
    if (this.#draining > 0) this.#finish(toProxyError(why, 'CONN_CLOSED'))
  }

  readonly #failed = (error: unknown): void => {
    if (isProxyError(error)) this.#finish(error)
    else if (!this.#over) {
      this.#settle.reject(error)
      this.#finish(undefined)
    }
  }

  #uplinkEnded(): void {
    this.#draining--
    this.#closeAfter(this.#far, this.#limits.downlinkOnlyMs)
  }

  #downlinkEnded(): void {
    this.#draining--
    this.#closeAfter(this.#near, this.#limits.uplinkOnlyMs)
  }

  /** The shorter limit begins when the last byte is out: a slow reader must not lose the end. */
  #closeAfter(side: Conn, limitMs: number): void {
    const closing = side.closeWrite()
    if (closing) closing.then(() => this.#halfClosed(limitMs), this.#failed)
    else this.#halfClosed(limitMs)
  }

  #halfClosed(limitMs: number): void {
    if (--this.#open === 0) this.#finish(undefined)
    else this.#idle?.limit(limitMs)
  }

  /** The first reason counts; both sides learn of it. */
  #finish(reason: Ended): void {
    if (this.#over) return
    this.#over = true
    this.#near.destroy(reason)
    this.#far.destroy(reason)
    this.#end()
    this.#settle.resolve(reason)
  }

  #end(): void {
    this.#idle?.stop()
    this.#leaveNear?.()
    this.#leaveFar?.()
  }
}
