import { closeSync, openSync, readFileSync } from 'node:fs'
import type { Cancel, Env } from '../../core/env.ts'
import { limits } from '../../core/limits.ts'

export interface AcceptGate {
  pause(): void
  resume(): void
  /** Client connections in progress; each may still need a descriptor for its target. */
  connections(): number
}

/** How often a paused gate looks whether it may open, ms. */
const recheckMs = 500

/**
 * Pauses accepting before descriptors run out. When they have run out Node drops waiting clients without a word, so the
 * number of the newest descriptor is watched instead: the kernel always gives the lowest that is free.
 */
export class DescriptorGuard {
  readonly #env: Env
  readonly #gate: AcceptGate
  readonly #limit = openFilesLimit()
  readonly #reserve = Math.min(limits.fdReserve, Math.floor(this.#limit / 4))
  #paused = false
  #cancel: Cancel = () => {}

  constructor(env: Env, gate: AcceptGate) {
    this.#env = env
    this.#gate = gate
  }

  /** A connection was accepted on descriptor `fd`. */
  opened(fd: number): void {
    if (this.#paused || !this.#short(fd)) return
    this.#paused = true
    this.#gate.pause()
    this.#env.log.error(
      { connections: this.#gate.connections(), limit: this.#limit },
      `file descriptors are running out (limit ${this.#limit}): accepting is paused until connections end; raise the limit with "ulimit -n" or LimitNOFILE=`,
    )
    this.#recheck()
  }

  /** Looks no more: nothing is going to be accepted again. */
  close(): void {
    this.#cancel()
  }

  #short(fd: number): boolean {
    return Math.max(fd, this.#gate.connections() * 2) >= this.#limit - this.#reserve
  }

  #recheck(): void {
    this.#cancel = this.#env.clock.after(recheckMs, () => {
      if (this.#short(lowestFree())) return this.#recheck()
      this.#paused = false
      this.#env.log.warn(
        { connections: this.#gate.connections() },
        'file descriptors are free again: accepting goes on',
      )
      this.#gate.resume()
    })
  }
}

function lowestFree(): number {
  try {
    const fd = openSync('/dev/null', 'r')
    closeSync(fd)
    return fd
  } catch {
    return Number.POSITIVE_INFINITY
  }
}

/** The soft limit of open files, or Infinity where it cannot be known. */
function openFilesLimit(): number {
  try {
    const soft = /^Max open files\s+(\S+)/m.exec(readFileSync('/proc/self/limits', 'utf8'))?.[1]
    return soft === undefined || soft === 'unlimited' ? Number.POSITIVE_INFINITY : Number(soft)
  } catch {
    return Number.POSITIVE_INFINITY
  }
}
