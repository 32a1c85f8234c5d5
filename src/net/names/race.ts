import { type Address, formatAddress } from '../../core/address.ts'
import type { Conn } from '../../core/conn.ts'
import type { Dialer, DialOptions } from '../../core/dialer.ts'
import type { Cancel, Clock } from '../../core/env.ts'
import { type ErrorCode, isProxyError, ProxyError } from '../../core/errors.ts'
import type { Resolve } from '../../core/ground.ts'
import { Life } from '../../core/lifetime.ts'
import { limits } from '../../core/limits.ts'
import { abortError, dialError } from '../errors.ts'

type Family = 4 | 6

/** One address and what became of it. */
export interface Attempt {
  readonly address: string
  /** Since the dial began, ms. */
  readonly startedMs: number
  /** `connected`, why not, or nothing yet. */
  said: string
  saidMs: number | undefined
  failed: ProxyError | undefined
}

export interface RaceDeps {
  readonly resolve: Resolve
  readonly clock: Clock
  /** Where it is not to go as RFC 8305 says. */
  readonly race?: RaceConfig
}

/** How addresses take turns; see RaceConfig of the settings. */
export interface RaceConfig {
  readonly delayMs?: number
  readonly first?: 4 | 6
  readonly interleave?: number
  readonly atOnce?: number
}

/** One dial of a name: see happyEyeballs(). */
export class Race {
  readonly attempts: Attempt[] = []
  readonly #base: Dialer
  readonly #to: Address
  readonly #options: DialOptions
  readonly #deps: RaceDeps
  readonly #began: number
  /** Of look-ups and attempts: it ends with the dial, or when somebody has won. */
  readonly #life = new Life()
  readonly #addresses: Record<Family, string[]> = { 4: [], 6: [] }
  /** Look-ups that have not answered. */
  readonly #awaited = new Set<Family>([6, 4])
  #lookupFailure: unknown
  #next: Family
  /** Addresses of the first family that come before the other has its turn. */
  #left: number
  #running = 0
  /** Until it has passed no attempt starts by itself. */
  #pause: Cancel | undefined
  #settle: { resolve(conn: Conn): void; reject(why: unknown): void } | undefined

  constructor(base: Dialer, to: Address, options: DialOptions, deps: RaceDeps) {
    this.#base = base
    this.#to = to
    this.#options = options
    this.#deps = deps
    this.#began = deps.clock.elapsed()
    this.#next = deps.race?.first ?? 6
    this.#left = deps.race?.interleave ?? 1
  }

  async run(): Promise<Conn> {
    const leave = this.#options.until.onGone((why) => this.#end(why))
    try {
      return await new Promise<Conn>((resolve, reject) => {
        this.#settle = { resolve, reject }
        if (this.#life.gone) return this.#end(this.#life.gone)
        for (const family of [6, 4] as const) void this.#lookUp(family)
      })
    } finally {
      leave()
      this.#pause?.()
    }
  }

  async #lookUp(family: Family): Promise<void> {
    let found: readonly string[] = []
    try {
      found = await this.#deps.resolve(this.#to.host, family, this.#life)
    } catch (error) {
      this.#lookupFailure ??= error
    }
    if (this.#life.gone) return
    this.#awaited.delete(family)
    this.#addresses[family].push(...found)
    // Those of the first family get a moment to arrive, so that the order of the answers does not choose it.
    const { first = 6 } = this.#deps.race ?? {}
    if (family !== first && found.length > 0 && this.#awaited.has(first) && this.attempts.length === 0) {
      this.#wait(limits.resolutionDelayMs)
    } else {
      if (this.attempts.length === 0) this.#endPause()
      this.#proceed()
    }
  }

  /** Starts the next attempt if it is time; ends the race when there is nothing left to hope for. */
  #proceed(): void {
    const { delayMs = limits.attemptDelayMs, atOnce = limits.dialAddresses } = this.#deps.race ?? {}
    if (this.#pause || this.#running >= atOnce) return
    const address = this.attempts.length < limits.dialAddresses ? this.#take() : undefined
    if (address !== undefined) {
      this.#wait(delayMs)
      void this.#attempt(address)
    } else if (this.#running === 0 && this.#awaited.size === 0) {
      this.#fail(this.#failure())
    }
  }

  #take(): string | undefined {
    const family = this.#addresses[this.#next].length > 0 ? this.#next : other(this.#next)
    const address = this.#addresses[family].shift()
    if (address !== undefined) this.#turnAfter(family)
    return address
  }

  #turnAfter(family: Family): void {
    const { first = 6, interleave = 1 } = this.#deps.race ?? {}
    this.#left = family === first ? this.#left - 1 : interleave
    this.#next = this.#left > 0 ? first : other(first)
  }

  async #attempt(host: string): Promise<void> {
    const attempt: Attempt = {
      address: host,
      startedMs: this.#passed(),
      said: 'nothing',
      saidMs: undefined,
      failed: undefined,
    }
    this.attempts.push(attempt)
    this.#running++
    try {
      const conn = await this.#base.dial({ ...this.#to, host }, { ...this.#options, until: this.#life })
      if (this.#life.gone) return conn.destroy()
      this.#note(attempt, 'connected')
      this.#settle?.resolve(conn)
      this.#life.end(new ProxyError('DIAL_ABORTED', `another address of ${this.#to.host} was faster`))
    } catch (error) {
      if (this.#life.gone) return
      const at = formatAddress({ ...this.#to, host })
      attempt.failed = dialError(error, at)
      this.#note(attempt, attempt.failed.message.replace(`cannot connect to ${at}: `, ''))
      this.#running--
      this.#endPause()
      this.#proceed()
    }
  }

  #note(attempt: Attempt, said: string): void {
    attempt.said = said
    attempt.saidMs = this.#passed()
  }

  #passed(): number {
    return Math.round(this.#deps.clock.elapsed() - this.#began)
  }

  #wait(ms: number): void {
    this.#endPause()
    this.#pause = this.#deps.clock.after(ms, () => {
      this.#pause = undefined
      this.#proceed()
    })
  }

  #endPause(): void {
    this.#pause?.()
    this.#pause = undefined
  }

  #fail(error: unknown): void {
    this.#settle?.reject(error)
    this.#life.end(error instanceof Error ? error : new Error(String(error)))
  }

  /** The dial is given up. When its time is over the addresses tell why. */
  #end(why: Error): void {
    const timedOut = isProxyError(why) && why.code === 'DIAL_TIMEOUT' && this.attempts.length > 0
    const to = formatAddress(this.#to)
    const text = timedOut ? `${why.message} to ${to}: ${this.#story()}` : ''
    this.#fail(timedOut ? new ProxyError('DIAL_TIMEOUT', text, { cause: why }) : abortError(why, to))
  }

  /** Nobody connected: what stands for all of them is a reason that is not merely a missing route. */
  #failure(): unknown {
    const failures = this.attempts.flatMap(({ failed }) => failed ?? [])
    const refused = failures.find(({ fault }) => fault === 'policy')
    if (refused) return refused
    const first = failures.find(({ code }) => code !== 'DIAL_UNREACHABLE') ?? failures[0]
    if (!first) return this.#lookupFailure ?? this.#nothingFound()
    const code: ErrorCode = first.code
    return new ProxyError(code, `cannot connect to ${formatAddress(this.#to)}: ${this.#story()}`, { cause: first })
  }

  #nothingFound(): ProxyError {
    return new ProxyError('DNS_FAILED', `${this.#to.host} has no address`)
  }

  #story(): string {
    return this.attempts.map(({ address, said }) => `${address}: ${said}`).join('; ')
  }
}

const other = (family: Family): Family => (family === 4 ? 6 : 4)
