import { ProxyError } from '../core/errors.ts'
import { Life, type Lifetime } from '../core/lifetime.ts'

interface Work<T> {
  readonly life: Life
  readonly result: Promise<T>
  askers: number
}

/**
 * One piece of work per key, however many ask for it at the same time. Each asker leaves when its own time is over; with
 * the last the work is given up. When there are as many as permitted the oldest makes room: that is one which hangs.
 */
export class Joint<T> {
  readonly #most: number
  readonly #works = new Map<string, Work<T>>()

  constructor(most: number) {
    this.#most = most
  }

  /** Rejects as the work does, or with why `until` is over. */
  join(key: string, until: Lifetime, start: (until: Lifetime) => Promise<T>): Promise<T> {
    if (until.gone) return Promise.reject(until.gone)
    const work = this.#works.get(key) ?? this.#begin(key, start)
    work.askers++
    return new Promise((resolve, reject) => {
      const leave = until.onGone((why) => {
        if (--work.askers === 0) this.#end(key, work, why)
        reject(why)
      })
      work.result.then(resolve, reject).finally(leave)
    })
  }

  #begin(key: string, start: (until: Lifetime) => Promise<T>): Work<T> {
    if (this.#works.size >= this.#most) this.#evictOldest()
    const life = new Life()
    const ended = new Promise<never>((_resolve, reject) => void life.onGone(reject))
    const work = { life, result: Promise.race([start(life), ended]), askers: 0 }
    this.#works.set(key, work)
    const forget = (): void => this.#forget(key, work)
    work.result.then(forget, forget)
    return work
  }

  #evictOldest(): void {
    const [key, work] = this.#works.entries().next().value!
    this.#end(
      key,
      work,
      new ProxyError('DNS_FAILED', `too many names are looked up at once: ${key} had waited longest`),
    )
  }

  #end(key: string, work: Work<T>, why: Error): void {
    this.#forget(key, work)
    work.life.end(why)
  }

  #forget(key: string, work: Work<T>): void {
    if (this.#works.get(key) === work) this.#works.delete(key)
  }
}
