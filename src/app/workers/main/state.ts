import type { InboundConfig } from '../../../settings/model.ts'
import type { RunningInbound } from '../../inbound/running-inbound.ts'
import type { Instance } from '../../instance.ts'
import type { ServerState } from '../messages.ts'

/** What workers have to be, each of so many, at this moment: the configuration with everything that was changed since it was read. */
export function stateOf(instance: Instance, workers: number): ServerState {
  const { config, routing } = instance
  const { system } = config.policy
  const spread = instance.inbounds.filter((inbound) => inbound.config.oneThread === undefined)
  return {
    config: {
      ...config,
      inbounds: spread.map(liveConfig),
      outbounds: [...instance.outbounds].flatMap((running) => running.config ?? []),
      routing: routing.config,
      // Strangers of one address are counted in each: together they are no more than one would take.
      policy: {
        ...config.policy,
        system: { ...system, handshakesPerAddress: Math.ceil(system.handshakesPerAddress / workers) },
      },
    },
    apiAddresses: instance.api.addresses,
    overrides: routing.config.balancers.flatMap(({ tag }) => {
      const override = routing.balancer(tag)?.override
      return override === undefined ? [] : [[tag, override] as const]
    }),
  }
}

/** With the users of this moment, and where it really listens. */
function liveConfig({ config, users, ports }: RunningInbound): InboundConfig {
  const listen = ports.map(({ listen, address }) => ({ ...listen, address }))
  if (config.protocol !== 'vmess') return { ...config, listen }
  return { ...config, listen, settings: { ...config.settings, users: [...(users ?? [])] } }
}
