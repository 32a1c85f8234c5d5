import { type Address, parseHost } from '../../core/address.ts'
import { namedPackets } from '../../core/datagrams/named-packets.ts'
import type { Outbound } from '../../core/dialer.ts'
import { addressesBy, type DomainStrategy } from '../../core/domain-strategy.ts'
import type { Random } from '../../core/env.ts'
import type { Resolve } from '../../core/ground.ts'
import type { Lifetime } from '../../core/lifetime.ts'

export interface TargetStrategyDeps {
  readonly resolve: Resolve
  readonly random: Pick<Random, 'below'>
}

/** An outbound that is asked for addresses where there are any: names are resolved before its protocol sees them. */
export function resolvingTargets(outbound: Outbound, strategy: DomainStrategy, deps: TargetStrategyDeps): Outbound {
  const { resolve, random } = deps
  const { tag, level, reenters, packets } = outbound

  /** Any of those that the strategy allows, or the name itself. Rejects with DNS_FAILED where it must not be used. */
  async function addressOf(name: string, until: Lifetime): Promise<string> {
    const found = await addressesBy(strategy, name, resolve, until)
    return found.length > 0 ? found[random.below(found.length)]! : name
  }
  const resolved = async (to: Address, until: Lifetime): Promise<Address> =>
    isName(to) ? { ...to, host: await addressOf(to.host, until) } : to

  return {
    tag,
    ...(level !== undefined && { level }),
    ...(reenters !== undefined && { reenters }),
    dial: async (to, options) => outbound.dial(await resolved(to, options.until), options),
    close: () => outbound.close(),
    ...(packets && {
      packets: {
        async open({ first, ...options }) {
          const at = first && (await resolved(first, options.until))
          const conn = await packets.open({ ...options, ...(at && { first: at }) })
          // The first target has been resolved: the same address is taken for it, by whatever way its name comes again.
          const known = first && at && isName(first) ? { name: first.host, host: at.host } : undefined
          return namedPackets(conn, async (name) => (name === known?.name ? known.host : addressOf(name, conn)))
        },
      },
    }),
  }
}

const isName = ({ host, path }: Address): boolean =>
  path === undefined && parseHost(host.replace(/%.*$/, '')).kind === 'domain'
