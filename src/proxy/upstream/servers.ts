import { formatAddress } from '../../core/address.ts'
import type { Env } from '../../core/env.ts'
import type { ProxyError } from '../../core/errors.ts'
import type { UpstreamServer, UpstreamUser } from '../../settings/model.ts'
import { type Attempt, BackOff } from './back-off.ts'
import type { Candidates, Reachable } from './reach.ts'

/** One of the proxies of an outbound. */
export interface UpstreamProxy extends Reachable {
  readonly users: readonly UpstreamUser[]
}

/** The proxies of an outbound. They take turns; one that cannot be reached is passed over for a while. */
export class Proxies implements Candidates<UpstreamProxy> {
  readonly #list: readonly UpstreamProxy[]
  readonly #env: Env
  /** Whose turn it is. */
  #next = 0

  constructor(servers: readonly UpstreamServer[], env: Env) {
    this.#env = env
    this.#list = servers.map(({ address, users }) => ({ address, users, backOff: new BackOff(env) }))
  }

  pick(tried: ReadonlySet<UpstreamProxy>): UpstreamProxy | undefined {
    const inTurn = [...this.#list.slice(this.#next), ...this.#list.slice(0, this.#next)]
    const open = inTurn.filter((proxy) => !tried.has(proxy))
    const ready = open.find(({ backOff }) => backOff.waitMs === 0)
    if (!ready) return open.toSorted((a, b) => a.backOff.waitMs - b.backOff.waitMs)[0]
    this.#next = (this.#list.indexOf(ready) + 1) % this.#list.length
    return ready
  }

  left(tried: ReadonlySet<UpstreamProxy>): boolean {
    return this.#list.some((proxy) => !tried.has(proxy))
  }

  reached({ backOff }: UpstreamProxy): void {
    backOff.reset()
  }

  failed({ address, backOff }: UpstreamProxy, attempt: Attempt, { code, message }: ProxyError): void {
    const first = backOff.waitMs === 0
    attempt.failed()
    if (this.#list.length === 1 || !first) return
    const seconds = Math.ceil(backOff.waitMs / 1000)
    this.#env.log.warn({ proxy: formatAddress(address), code }, `skipping the proxy for ${seconds} s: ${message}`)
  }
}
