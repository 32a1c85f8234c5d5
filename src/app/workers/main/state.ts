import type { Address } from '../../../core/address.ts'
import type { InboundConfig } from '../../../settings/model.ts'
import type { RunningInbound } from '../../inbound/running-inbound.ts'
import type { Instance } from '../../instance/instance.ts'
import type { ServerState } from '../messages.ts'

/** What workers have to be at this moment: the configuration with everything that was changed since it was read. */
export function stateOf(instance: Instance, isBound: (at: Address) => boolean): ServerState {
  const { config, routing } = instance
  return {
    config: {
      ...config,
      inbounds: instance.inbounds.map((inbound) => liveConfig(inbound, isBound)),
      outbounds: [...instance.outbounds].flatMap((running) => running.config ?? []),
      routing: routing.config,
    },
    apiAddresses: instance.api.addresses,
    overrides: routing.config.balancers.flatMap(({ tag }) => {
      const override = routing.balancer(tag)?.override
      return override === undefined ? [] : [[tag, override] as const]
    }),
  }
}

/**
 * With the users of this moment, and where it really listens. Those that one thread serves are known as well: a connection may
 * have come in by one before that was so.
 */
function liveConfig(
  { config: { allocate, ...config }, users, ports }: RunningInbound,
  isBound: (at: Address) => boolean,
): InboundConfig {
  const spread = config.oneThread === undefined
  const bound = spread ? ports.filter(({ address }) => isBound(address)) : []
  const listen = bound.map(({ listen, address }) => ({ ...listen, address }))
  if (config.protocol !== 'vmess') return { ...config, listen }
  return { ...config, listen, settings: { ...config.settings, users: [...(users ?? [])] } }
}
