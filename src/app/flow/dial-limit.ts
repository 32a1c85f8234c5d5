import type { Conn } from '../../core/conn.ts'
import type { Cancel, Clock } from '../../core/env.ts'
import { ProxyError } from '../../core/errors.ts'
import { Life, type Lifetime } from '../../core/lifetime.ts'
import { limits } from '../../core/limits.ts'
import { type Deadline, dialTimedOut } from '../../core/time/deadline.ts'

/**
 * How long a dial for a client may go on: at most `limits.dialTimeoutMs`, and no longer than somebody wants it. A client
 * that is gone wants nothing. One that has ended its half may still wait for an answer, or have left: TCP does not tell the
 * two apart, and so it is waited for no longer than a flow of its would be, and never more than `limits.halfClosedDialMs`.
 */
export class DialLimit implements Deadline {
  readonly #life = new Life()
  readonly #cancelTimer: Cancel
  readonly #leaveNear: Cancel
  readonly #forgetEnd: Cancel | undefined
  #cancelPatience: Cancel | undefined
  #over = false

  /** @param downlinkOnlyMs how long a flow of this client lives on when the client has finished sending */
  constructor(clock: Clock, near: Pick<Conn, 'onGone' | 'onEnded'>, downlinkOnlyMs: number) {
    this.#cancelTimer = clock.after(limits.dialTimeoutMs, () => this.#life.end(dialTimedOut()))
    this.#leaveNear = near.onGone((why) => this.#life.end(why))
    const patience = Math.min(downlinkOnlyMs, limits.halfClosedDialMs)
    this.#forgetEnd = near.onEnded?.(() => {
      if (!this.#over) this.#cancelPatience = clock.after(patience, () => this.#life.end(finished()))
    })
  }

  get until(): Lifetime {
    return this.#life
  }

  done(): void {
    this.#over = true
    this.#cancelTimer()
    this.#leaveNear()
    this.#forgetEnd?.()
    this.#cancelPatience?.()
  }
}

const finished = (): ProxyError =>
  new ProxyError('DIAL_ABORTED', 'the client finished sending, and the target was not reached soon after')
