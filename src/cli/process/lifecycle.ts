/** From "everything listens" to "everything is closed". */
import { isatty } from 'node:tty'
import type { Logger } from '../../core/env.ts'
import { limits } from '../../core/limits.ts'

/** npm passes Ctrl-C on to a program that the terminal has told already: within this time two are one. */
const sameKeyMs = 200

/** What a signal stops. */
export interface Stoppable {
  /** Client connections in progress. */
  readonly connections: number | Promise<number>
  /** Resolves when everything is closed; connections have this long to end. */
  stop(graceMs: number): Promise<void>
  /** Cuts every connection now. */
  kill(): void
}

/** Says whether a terminal was there and is gone: closing one sends SIGHUP to what runs in it. */
export function watchTerminal(isTerminal: (descriptor: number) => boolean = isatty): () => boolean {
  const had = [0, 1, 2].filter(isTerminal)
  return () => had.some((descriptor) => !isTerminal(descriptor))
}

/**
 * SIGINT, SIGTERM and SIGHUP as they come, also those that come before anybody asks. Where there is something to read
 * again SIGHUP does not stop, unless it says that the terminal was closed.
 */
export class StopSignals {
  readonly #names = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const
  readonly #received: NodeJS.Signals[] = []
  #waiting: ((name: NodeJS.Signals) => void) | undefined
  #interruptedAt = Number.NEGATIVE_INFINITY
  readonly #terminalGone: () => boolean
  readonly #reloads: boolean
  #reload: (() => void) | undefined
  #reloadDue = false

  /** From here on a signal no longer ends the process by itself: create it right before the first thing starts. */
  constructor({ reloads = false, terminalGone = watchTerminal() } = {}) {
    this.#reloads = reloads
    this.#terminalGone = terminalGone
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

  /** What SIGHUP does from now on; one that came before counts. */
  onReload(reload: () => void): void {
    this.#reload = reload
    if (this.#reloadDue) reload()
  }

  close(): void {
    for (const name of this.#names) process.off(name, this.#told)
  }

  readonly #told = (name: NodeJS.Signals): void => {
    if (name === 'SIGHUP' && this.#reloads && !this.#terminalGone()) {
      if (this.#reload) this.#reload()
      else this.#reloadDue = true
      return
    }
    const now = performance.now()
    if (name === 'SIGINT' && now - this.#interruptedAt < sameKeyMs) return
    if (name === 'SIGINT') this.#interruptedAt = now
    if (this.#waiting) this.#waiting(name)
    else this.#received.push(name)
    this.#waiting = undefined
  }
}

/**
 * Waits for a signal, then stops everything: no new connections, those in progress may end within
 * `limits.shutdownMs`. A second signal cuts them at once.
 */
export async function untilStopped(running: readonly Stoppable[], log: Logger, signals: StopSignals): Promise<void> {
  // Listeners keep the process alive; without any it must wait for its signal too.
  const alive = setInterval(() => {}, 60_000)
  const first = await signals.next()
  let open = 0
  for (const { connections } of running) open += await connections
  if (open > 0)
    log.warn(
      { connections: open },
      `${first} received: waiting up to ${limits.shutdownMs / 1000} s, once more to cut at once`,
    )
  const stopped = Promise.all(running.map((it) => it.stop(limits.shutdownMs)))
  const second = signals.next().then(() => {
    for (const it of running) it.kill()
  })
  // What is left to do then, such as to write down what was counted, takes no time; whoever does not believe it asks again.
  const third = second.then(() => signals.next())
  await Promise.race([stopped, third])
  signals.close()
  clearInterval(alive)
}
