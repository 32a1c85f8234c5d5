/** Outbounds measured one after the other: alive is who answered the last time. */
import type { Outbound } from '../../core/dialer.ts'
import type { Cancel, Clock, Random } from '../../core/env.ts'
import { deadMs, type Observation } from '../../routing/balancers/observation.ts'
import type { ObservatoryConfig } from '../../settings/model.ts'
import type { ProbeRequest } from './probe.ts'

export interface MeasuringDeps {
  readonly clock: Clock
  readonly random: Random
  readonly outbounds: () => readonly Outbound[]
  /** Asks through an outbound, or without one directly; ms until the answer. */
  readonly probe: (outbound: Outbound | undefined, request: ProbeRequest) => Promise<number>
}

/** Something that measures outbounds until it is stopped. */
export interface Measuring {
  start(): void
  stop(): void
  observe(tag: string): Observation | undefined
  /** In the order of their first measurements. */
  all(): readonly Observation[]
}

export const selected = (outbounds: readonly Outbound[], selector: readonly string[]): readonly Outbound[] =>
  outbounds.filter(({ tag }) => tag !== '' && selector.some((beginning) => tag.startsWith(beginning)))

/** How long an answer may take, as with the peers. */
const timeoutMs = 5_000

export class Observatory implements Measuring {
  readonly #config: ObservatoryConfig
  readonly #deps: MeasuringDeps
  readonly #seen = new Map<string, Observation>()
  #cancel: Cancel = () => {}
  #stopped = false

  constructor(config: ObservatoryConfig, deps: MeasuringDeps) {
    this.#config = config
    this.#deps = deps
  }

  start(): void {
    void this.#round([])
  }

  stop(): void {
    this.#stopped = true
    this.#cancel()
  }

  observe(tag: string): Observation | undefined {
    return this.#seen.get(tag)
  }

  all(): readonly Observation[] {
    return [...this.#seen.values()]
  }

  /** Measures the next of those that are left of this round, or all of the next round at once. */
  async #round(left: readonly Outbound[]): Promise<void> {
    const { outbounds, clock } = this.#deps
    const due = left.length > 0 ? left : selected(outbounds(), this.#config.selector)
    const now = this.#config.concurrent ? due : due.slice(0, 1)
    await Promise.all(now.map((outbound) => this.#measure(outbound)))
    if (this.#stopped) return
    const rest = this.#config.concurrent ? [] : due.slice(1)
    this.#cancel = clock.after(this.#config.intervalMs, () => void this.#round(rest))
  }

  async #measure(outbound: Outbound): Promise<void> {
    const { clock, probe } = this.#deps
    const { tag } = outbound
    const outcome = await probe(outbound, { url: this.#config.url, method: 'GET', timeoutMs }).catch(
      (error: unknown) => error as Error,
    )
    const lastTry = clock.now()
    const alive = typeof outcome === 'number'
    this.#seen.set(tag, {
      tag,
      alive,
      delayMs: alive ? Math.round(outcome) : deadMs,
      reason: alive ? '' : `the outbound ${tag} is dead: ${outcome.message}`,
      lastSeen: alive ? lastTry : (this.#seen.get(tag)?.lastSeen ?? 0),
      lastTry,
    })
  }
}
