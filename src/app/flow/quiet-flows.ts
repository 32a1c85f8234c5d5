import { addressKey } from '../../core/address.ts'
import type { Clock } from '../../core/env.ts'
import { ProxyError } from '../../core/errors.ts'
import { limits } from '../../core/limits.ts'
import type { Meter, Meters } from '../../core/streams/meter.ts'
import type { Flow } from './flow.ts'

/**
 * The flows of datagrams in the order in which they were used, the one that is quiet for longest first. Nothing ends such
 * a flow but silence, and anybody can begin as many as there are ports: there is a bound for each client and one for all.
 */
export class QuietFlows {
  readonly #clock: Clock
  readonly #all = new Set<Flow>()
  readonly #byClient = new Map<string, Set<Flow>>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  get size(): number {
    return this.#all.size
  }

  /** Takes a flow in; where that is one too many another one ends. */
  enter(flow: Flow): void {
    const client = clientOf(flow)
    const own = this.#byClient.get(client) ?? new Set()
    if (own.size >= limits.udpSessionsPerClient) this.#end(own, `${limits.udpSessionsPerClient} sessions of one client`)
    if (this.#all.size >= limits.udpSessions) this.#end(this.#all, `${limits.udpSessions} sessions in all`)
    this.#byClient.set(client, own.add(flow))
    this.#all.add(flow)
  }

  leave(flow: Flow): void {
    if (!this.#all.delete(flow)) return
    const client = clientOf(flow)
    const own = this.#byClient.get(client)
    own?.delete(flow)
    if (own?.size === 0) this.#byClient.delete(client)
  }

  /** Ends the flow that is quiet for longest, and with it its descriptors; false when there is none. */
  evictIdle(): boolean {
    return this.#end(this.#all, 'descriptors are running out')
  }

  /** The same meters, which note that the flow is used. */
  noting(flow: Flow, { uplink, downlink }: Meters): Meters {
    let usedAt = this.#clock.elapsed()
    const used = (): void => {
      const now = this.#clock.elapsed()
      if (now - usedAt < limits.udpQuietStepMs) return
      usedAt = now
      this.#used(flow)
    }
    return { uplink: new NotingMeter(uplink, used), downlink: new NotingMeter(downlink, used) }
  }

  /** A set keeps the order in which its members came: who is used comes anew. */
  #used(flow: Flow): void {
    if (!this.#all.delete(flow)) return
    this.#all.add(flow)
    const own = this.#byClient.get(clientOf(flow))
    if (own?.delete(flow)) own.add(flow)
  }

  #end(of: ReadonlySet<Flow>, why: string): boolean {
    const [quietest] = of
    if (!quietest) return false
    this.leave(quietest)
    quietest.end(new ProxyError('UDP_MAKES_ROOM', `the session was quiet for longest, and had to make room: ${why}`))
    return true
  }
}

const clientOf = ({ session: { user }, host }: Flow): string => `${user.email} ${addressKey(host)}`

class NotingMeter implements Meter {
  readonly #base: Meter
  readonly #used: () => void

  constructor(base: Meter, used: () => void) {
    this.#base = base
    this.#used = used
  }

  add(bytes: number): void {
    this.#base.add(bytes)
    this.#used()
  }

  get pace() {
    return this.#base.pace
  }
}
