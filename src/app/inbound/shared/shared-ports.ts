import { type Address, formatAddress } from '../../../core/address.ts'
import type { Listener, ListenOptions } from '../../../core/dialer.ts'
import type { Clock } from '../../../core/env.ts'
import { ProxyError } from '../../../core/errors.ts'
import { Group, type Guest, type Share } from './group.ts'

/** Gives ports their address. */
export interface PortBase {
  /** Binds the address, or joins those who have it already. Rejects with LISTEN_FAILED. */
  listen(at: Address, guest: Guest, options: ListenOptions): Promise<Share>
}

/** For what shares with nobody: no address that is taken can be had. */
export const alone = (base: Listener): PortBase => ({
  async listen(at, guest, options) {
    return { ...(await base.listen(at, (carrier) => guest.receive(carrier), options)), pending: 0, shared: false }
  },
})

/** The addresses that inbounds of an instance listen on, each with one socket however many inbounds have it. */
export class SharedPorts {
  readonly #clock: Clock
  readonly #groups = new Map<string, Group>()

  constructor(clock: Clock) {
    this.#clock = clock
  }

  over(base: Listener): PortBase {
    return {
      listen: async (at, guest, options) => {
        // The system gives everybody who asks for any port another one.
        if (at.port === 0 && at.path === undefined) return alone(base).listen(at, guest, options)
        return this.#groupFor(formatAddress(at), guest).join(guest, base, at, options)
      },
    }
  }

  #groupFor(key: string, guest: Guest): Group {
    const there = this.#groups.get(key)
    if (there) {
      if (guest.claim && there.guests.every(({ claim }) => claim)) return there
      throw new ProxyError('LISTEN_FAILED', `another inbound listens on ${key} already`)
    }
    const group: Group = new Group(this.#clock, () => {
      if (this.#groups.get(key) === group) this.#groups.delete(key)
    })
    this.#groups.set(key, group)
    return group
  }
}
