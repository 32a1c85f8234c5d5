import { LinkedList } from '../../core/collections/linked-list.ts'
import type { Cancel, Clock } from '../../core/env.ts'
import { isProxyError, ProxyError } from '../../core/errors.ts'
import type { Lifetime } from '../../core/lifetime.ts'
import { limits } from '../../core/limits.ts'

interface Waiting {
  readonly since: number
  readonly go: () => void
}

/** Dials that wait for a descriptor, first come, first served. */
export class WaitingDials {
  readonly #clock: Clock
  readonly #take: () => boolean
  readonly #list = new LinkedList<Waiting>()
  #cancelTimer: Cancel | undefined
  #quietFrom = 0
  #serving = false

  /** @param take takes a descriptor if there is one */
  constructor(clock: Clock, take: () => boolean) {
    this.#clock = clock
    this.#take = take
  }

  get size(): number {
    return this.#list.size
  }

  /** Somebody has come in. */
  newcomer(): void {
    this.#quietFrom = this.#clock.elapsed() + limits.fdQuietMs
  }

  /**
   * Resolves when a descriptor was taken. While newcomers arrive it waits for a while: those of one burst all get in before
   * dials take their room. Rejects when `until` is over.
   */
  wait(until: Lifetime): Promise<void> {
    return new Promise((resolve, reject) => {
      if (until.gone) return reject(told(until.gone))
      const leave = (): void => {
        this.#list.remove(link)
        if (this.#list.size === 0) this.#stopTimer()
      }
      const cancel = until.onGone((why) => {
        leave()
        reject(told(why))
      })
      const go = (): void => {
        cancel()
        leave()
        resolve()
      }
      const link = this.#list.push({ since: this.#clock.elapsed(), go })
      this.#cancelTimer ??= this.#clock.after(limits.fdQuietMs, () => this.#due())
      this.serve()
    })
  }

  /** There may be a descriptor again. */
  serve(): void {
    if (this.#serving) return
    this.#serving = true
    const now = this.#clock.elapsed()
    const due = ({ since }: Waiting): boolean => now >= this.#quietFrom || now >= since + limits.fdWaitMs
    for (let first = this.#list.first; first && due(first) && this.#take(); first = this.#list.first) first.go()
    this.#serving = false
  }

  #due(): void {
    this.#cancelTimer = undefined
    this.serve()
    if (this.#list.size > 0) this.#cancelTimer = this.#clock.after(limits.fdQuietMs, () => this.#due())
  }

  #stopTimer(): void {
    this.#cancelTimer?.()
    this.#cancelTimer = undefined
  }
}

/** That the time was over says nothing about the target. */
function told(why: Error): Error {
  if (!isProxyError(why) || why.code !== 'DIAL_TIMEOUT') return why
  const hint = 'raise the limit of open files with "ulimit -n" or LimitNOFILE='
  return new ProxyError('FD_EXHAUSTED', `${why.message}: no file descriptor became free`, { hint })
}
