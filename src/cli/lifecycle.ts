/** From "everything listens" to "everything is closed". */
import type { Instance } from '../app/instance.ts'
import type { Logger } from '../core/env.ts'
import { limits } from '../core/limits.ts'

/** npm passes Ctrl-C on to a program that the terminal has told already: within this time two are one. */
const sameKeyMs = 200

/** SIGINT, SIGTERM and SIGHUP (the terminal was closed) as they come, also those that come before anybody asks. */
export class StopSignals {
  readonly #names = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  readonly #received: NodeJS.Signals[] = []
  #waiting: ((name: NodeJS.Signals) => void) | undefined
  #interruptedAt = Number.NEGATIVE_INFINITY

  /** From here on a signal no longer ends the process by itself: create it right before the first thing starts. */
  constructor() {
    for (const name of this.#names) process.on(name, this.#told)
  }

  /** The next signal. One caller at a time. */
  next(): Promise<NodeJS.Signals> {
    const early = this.#received.shift()
    if (early) return Promise.resolve(early)
    return new Promise((resolve) => {
      this.#waiting = resolve
    })
  }

  close(): void {
    for (const name of this.#names) process.off(name, this.#told)
  }

  readonly #told = (name: NodeJS.Signals): void => {
    const now = performance.now()
    if (name === 'SIGINT' && now - this.#interruptedAt < sameKeyMs) return
    if (name === 'SIGINT') this.#interruptedAt = now
    if (this.#waiting) this.#waiting(name)
    else this.#received.push(name)
    this.#waiting = undefined
  }
}

/**
 * Waits for a signal, then stops the instances: no new connections, those in progress may end within
 * `limits.shutdownMs`. A second signal cuts them at once.
 */
export async function untilStopped(instances: readonly Instance[], log: Logger, signals: StopSignals): Promise<void> {
  // Listeners keep the process alive; an instance without any must wait for its signal too.
  const alive = setInterval(() => {}, 60_000)
  const first = await signals.next()
  const open = instances.reduce((sum, instance) => sum + instance.connections, 0)
  if (open > 0)
    log.warn(
      { connections: open },
      `${first} received: waiting up to ${limits.shutdownMs / 1000} s, once more to cut at once`,
    )
  const stopped = Promise.all(instances.map((instance) => instance.stop(limits.shutdownMs)))
  const second = signals.next().then(() => {
    for (const instance of instances) instance.kill()
  })
  await Promise.race([stopped, second])
  signals.close()
  clearInterval(alive)
}
