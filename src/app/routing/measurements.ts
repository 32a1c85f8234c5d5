/** What measures outbounds, as the configuration of this moment says. */
import type { Observation, Observe } from '../../routing/balancers/observation.ts'
import type { Config } from '../../settings/model.ts'
import { Burst } from './burst.ts'
import { type Measuring, type MeasuringDeps, Observatory } from './observatory.ts'

type Asked = Pick<Config, 'observatory' | 'burstObservatory'>

export class Measurements {
  readonly #deps: MeasuringDeps
  #asked: Asked = {}
  #measuring: Measuring | undefined
  #running = false

  constructor(deps: MeasuringDeps) {
    this.#deps = deps
  }

  /** Begins anew where something else is asked for; `same` compares what is asked for. */
  adopt(asked: Asked, same: (a: unknown, b: unknown) => boolean = Object.is): void {
    const { observatory, burstObservatory } = asked
    const unchanged = same(this.#asked.observatory, observatory) && same(this.#asked.burstObservatory, burstObservatory)
    if (unchanged) return
    this.#asked = asked
    this.#measuring?.stop()
    this.#measuring = observatory
      ? new Observatory(observatory, this.#deps)
      : burstObservatory && new Burst(burstObservatory, this.#deps)
    if (this.#running) this.#measuring?.start()
  }

  start(): void {
    this.#running = true
    this.#measuring?.start()
  }

  stop(): void {
    this.#running = false
    this.#measuring?.stop()
  }

  readonly observe: Observe = (tag) => this.#measuring?.observe(tag)

  /** Undefined: nothing is measured. */
  all(): readonly Observation[] | undefined {
    return this.#measuring?.all()
  }
}
