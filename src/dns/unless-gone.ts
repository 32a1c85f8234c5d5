import type { Lifetime } from '../core/lifetime.ts'

/** Settles as `work` does, or rejects with why `until` is over, whichever comes first. */
export function unlessGone<T>(work: Promise<T>, until: Lifetime): Promise<T> {
  return new Promise((resolve, reject) => {
    const leave = until.onGone(reject)
    work.then(resolve, reject).finally(leave)
  })
}
