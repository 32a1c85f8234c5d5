/** Outbounds measured several times in each period, at random moments: dead is who never answered. */
import type { Outbound } from '../../core/dialer.ts'
import type { Cancel } from '../../core/env.ts'
import type { Observation } from '../../routing/balancers/observation.ts'
import { SampleWindow } from '../../routing/balancers/samples.ts'
import type { BurstConfig } from '../../settings/model.ts'
import { type Measuring, type MeasuringDeps, selected } from './observatory.ts'

export class Burst implements Measuring {
  readonly #config: BurstConfig
  readonly #deps: MeasuringDeps
  readonly #windows = new Map<string, SampleWindow>()
  readonly #cancels = new Set<Cancel>()

  constructor(config: BurstConfig, deps: MeasuringDeps) {
    this.#config = config
    this.#deps = deps
  }

  start(): void {
    for (const outbound of this.#selected()) void this.#measure(outbound)
    this.#period()
  }

  stop(): void {
    for (const cancel of this.#cancels) cancel()
    this.#cancels.clear()
  }

  observe(tag: string): Observation | undefined {
    const samples = this.#windows.get(tag)?.statistics(this.#deps.clock.elapsed())
    if (!samples || samples.all === 0) return undefined
    const alive = samples.fail < samples.all
    return {
      tag,
      alive,
      delayMs: alive ? Math.round(samples.average) : 0,
      reason: '',
      lastSeen: 0,
      lastTry: 0,
      samples,
    }
  }

  all(): readonly Observation[] {
    return [...this.#windows.keys()].flatMap((tag) => this.observe(tag) ?? [])
  }

  #selected(): readonly Outbound[] {
    return selected(this.#deps.outbounds(), this.#config.selector)
  }

  #period(): void {
    const { intervalMs, sampling } = this.#config
    const length = Math.min(intervalMs * sampling, 2 ** 31 - 1)
    for (const outbound of this.#selected()) {
      for (let i = 0; i < sampling; i++) {
        this.#after(this.#deps.random.below(length), () => void this.#measure(outbound))
      }
    }
    this.#after(length, () => this.#period())
  }

  #after(ms: number, run: () => void): void {
    const cancel = this.#deps.clock.after(ms, () => {
      this.#cancels.delete(cancel)
      run()
    })
    this.#cancels.add(cancel)
  }

  async #measure(outbound: Outbound): Promise<void> {
    const { clock, probe } = this.#deps
    const { url, method, timeoutMs, intervalMs, sampling, connectivity } = this.#config
    const ask = (through: Outbound | undefined, where: string) =>
      probe(through, { url: where, method, timeoutMs }).catch(() => undefined)
    const ms = await ask(outbound, url)
    // Without a network of its own this machine learns nothing about an outbound.
    if (ms === undefined && connectivity !== '' && (await ask(undefined, connectivity)) === undefined) return
    const window = this.#windows.get(outbound.tag) ?? new SampleWindow(sampling, intervalMs * sampling * 2)
    this.#windows.set(outbound.tag, window)
    window.add(clock.elapsed(), ms)
  }
}
