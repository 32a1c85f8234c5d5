/** Bridges and portals, as the configuration of this moment says. */
import type { Env } from '../core/env.ts'
import { memoryPair } from '../net/memory/memory.ts'
import { Bridge } from '../proxy/reverse/bridge.ts'
import { Portal } from '../proxy/reverse/portal.ts'
import type { ReverseConfig, ReverseEnd } from '../settings/model.ts'
import { same } from '../settings/same.ts'
import type { Dispatch } from './flow/dispatch.ts'
import type { Origin } from './flow/flow.ts'
import type { RunningOutbound } from './outbounds.ts'

export interface ReverseDeps {
  readonly env: Env
  readonly dispatch: (origin: Origin) => Dispatch
}

const none: ReverseConfig = { bridges: [], portals: [] }
const pair = () => memoryPair()

export class ReverseProxies {
  readonly #deps: ReverseDeps
  #bridges: readonly Bridge[] = []
  #running = false

  constructor(deps: ReverseDeps) {
    this.#deps = deps
  }

  /** Portals as outbounds: those among `live` that are as they were, and new ones. */
  portals({ portals }: ReverseConfig = none, live: Iterable<RunningOutbound> = []): RunningOutbound[] {
    const before = [...live]
    return portals.map(
      (end) =>
        before.find(({ portal }) => portal && same(portal, end)) ?? {
          outbound: new Portal(end, { env: this.#deps.env, pair }),
          portal: end,
        },
    )
  }

  /** These bridges from now on. One that is as it was goes on; of one that is not the streams live on. */
  adopt({ bridges }: ReverseConfig = none): void {
    const before = this.#bridges
    this.#bridges = bridges.map((end) => before.find(({ config }) => same(config, end)) ?? this.#bridge(end))
    for (const bridge of before) if (!this.#bridges.includes(bridge)) bridge.retire()
    if (this.#running) for (const bridge of this.#bridges) if (!before.includes(bridge)) bridge.start()
  }

  start(): void {
    this.#running = true
    for (const bridge of this.#bridges) bridge.start()
  }

  stop(): void {
    this.#running = false
    for (const bridge of this.#bridges) bridge.retire()
  }

  #bridge(end: ReverseEnd): Bridge {
    const { env, dispatch } = this.#deps
    const { carry, carryPackets } = dispatch({ tag: end.tag, at: `the bridge ${JSON.stringify(end.tag)}` })
    return new Bridge(end, { env, pair, carry, carryPackets })
  }
}
