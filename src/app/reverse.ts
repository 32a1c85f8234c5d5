/** Bridges and portals, as the configuration of this moment says. */
import type { Cancel } from '../core/env.ts'
import { memoryPair } from '../net/memory/memory.ts'
import { Bridge } from '../proxy/reverse/bridge.ts'
import { Portal } from '../proxy/reverse/portal.ts'
import type { ReverseConfig, ReverseEnd } from '../settings/model.ts'
import { same } from '../settings/same.ts'
import type { DispatchDeps } from './flow/deps.ts'
import { createDispatch } from './flow/dispatch.ts'
import type { Outbounds, RunningOutbound } from './instance/outbounds.ts'

const none: ReverseConfig = { bridges: [], portals: [] }
const pair = () => memoryPair()

export class ReverseProxies {
  readonly #outbounds: Outbounds
  readonly #dispatch: DispatchDeps
  #bridges: readonly Bridge[] = []
  #running = false

  constructor(outbounds: Outbounds, dispatch: DispatchDeps) {
    this.#outbounds = outbounds
    this.#dispatch = dispatch
  }

  /** The first ones. */
  fill(reverse: ReverseConfig | undefined): void {
    for (const portal of this.portals(reverse)) this.#outbounds.add(portal)
    this.adopt(reverse)
  }

  /** Portals as outbounds: those among the running ones that are as they were, and new ones. */
  portals({ portals }: ReverseConfig = none): RunningOutbound[] {
    const before = [...this.#outbounds]
    const create = (end: ReverseEnd) => ({ outbound: new Portal(end, { env: this.#dispatch.env, pair }), portal: end })
    return portals.map((end) => before.find(({ portal }) => portal && same(portal, end)) ?? create(end))
  }

  /** These bridges from now on. One that is as it was goes on; of one that is not the streams live on. */
  adopt({ bridges }: ReverseConfig = none): void {
    const before = this.#bridges
    this.#bridges = bridges.map((end) => before.find(({ config }) => same(config, end)) ?? this.#bridge(end))
    for (const bridge of before) if (!this.#bridges.includes(bridge)) void bridge.retire()
    if (this.#running) for (const bridge of this.#bridges) if (!before.includes(bridge)) bridge.start()
  }

  start(): void {
    this.#running = true
    for (const bridge of this.#bridges) bridge.start()
  }

  /** Nothing new is carried; carriers end with the last of what they carry. Resolves when those of bridges have, or time is up. */
  async stop(graceMs: number): Promise<void> {
    this.#running = false
    for (const { outbound, portal } of this.#outbounds) if (portal) void outbound.close()
    const ended = Promise.all(this.#bridges.map((bridge) => bridge.retire()))
    let cancel: Cancel = () => {}
    const late = new Promise<void>((resolve) => {
      cancel = this.#dispatch.env.clock.after(graceMs, resolve)
    })
    await Promise.race([ended, late])
    cancel()
  }

  #bridge(end: ReverseEnd): Bridge {
    const origin = { tag: end.tag, at: `the bridge ${JSON.stringify(end.tag)}` }
    const { carry, carryPackets } = createDispatch(origin, this.#dispatch)
    return new Bridge(end, { env: this.#dispatch.env, pair, carry, carryPackets })
  }
}
