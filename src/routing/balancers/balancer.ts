/** A choice among outbounds, made anew for each flow: which of them there are changes, and which of them live. */
import type { BalancerConfig } from '../../settings/routing.ts'
import { leastLoaded } from './least-load.ts'
import type { Observe } from './observation.ts'

export interface BalancerDeps {
  /** A whole number from 0 below `limit`. */
  readonly random: (limit: number) => number
  readonly observe: Observe
}

export class Balancer {
  readonly config: BalancerConfig
  /** What an operator chose instead. */
  override: string | undefined
  readonly #deps: BalancerDeps
  #turn = 0

  constructor(config: BalancerConfig, deps: BalancerDeps) {
    this.config = config
    this.#deps = deps
  }

  /** The tag to take, of outbounds with these tags; undefined: nothing says which. */
  pick(tags: readonly string[]): string | undefined {
    return this.override ?? this.#strategic(this.#candidates(tags)) ?? this.config.fallbackTag
  }

  /** What the strategy chooses among, best first, whatever the override says. */
  principle(tags: readonly string[]): readonly string[] {
    const candidates = this.#candidates(tags)
    const { strategy } = this.config
    if (strategy === 'leastPing') return [this.#nearest(candidates) ?? '']
    return strategy === 'leastLoad' ? this.#loaded(candidates) : [...candidates].sort()
  }

  #candidates(tags: readonly string[]): readonly string[] {
    const { selector } = this.config
    return tags.filter((tag) => tag !== '' && selector.some((beginning) => tag.startsWith(beginning)))
  }

  #strategic(candidates: readonly string[]): string | undefined {
    switch (this.config.strategy) {
      case 'leastPing':
        return this.#nearest(candidates)
      case 'leastLoad':
        return this.#anyOf(this.#loaded(candidates))
      case 'roundRobin': {
        const living = this.#living([...candidates].sort())
        return living.length === 0 ? undefined : living[this.#turn++ % living.length]
      }
      case 'random':
        return this.#anyOf(this.#living(candidates))
    }
  }

  #anyOf(tags: readonly string[]): string | undefined {
    return tags.length === 0 ? undefined : tags[this.#deps.random(tags.length)]
  }

  /** Those that are not known to be dead; all, where there is nothing to fall back on. */
  #living(tags: readonly string[]): readonly string[] {
    if (this.config.fallbackTag === undefined) return tags
    return tags.filter((tag) => this.#deps.observe(tag)?.alive ?? true)
  }

  #nearest(tags: readonly string[]): string | undefined {
    let best: string | undefined
    let least = Number.POSITIVE_INFINITY
    for (const tag of tags) {
      const seen = this.#deps.observe(tag)
      if (!seen?.alive || seen.delayMs >= least) continue
      best = tag
      least = seen.delayMs
    }
    return best
  }

  #loaded(tags: readonly string[]): readonly string[] {
    const seen = tags.flatMap((tag) => this.#deps.observe(tag) ?? [])
    return leastLoaded(seen, this.config.load)
  }
}
