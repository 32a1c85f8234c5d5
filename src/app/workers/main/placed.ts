/** What an API adds while workers run: the loader sees only that part, and not what it has to do with the others. */
import { formatAddress } from '../../../core/address.ts'
import { ProxyError } from '../../../core/errors.ts'
import type { InboundConfig } from '../../../settings/model.ts'
import type { RoutingRule } from '../../../settings/routing.ts'
import type { RunningInbound } from '../../inbound/running-inbound.ts'
import type { Instance } from '../../instance/instance.ts'

type Running = Pick<Instance, 'inbounds' | 'inbound' | 'api' | 'config'>

/** @throws ProxyError CONTROL_INVALID where it goes with an inbound that other threads serve */
export function placed(config: InboundConfig, running: Running): InboundConfig {
  const { tag } = config
  const oneThread = config.oneThread ?? reasonAmong(tag, running)
  const to = detourOf(config)
  const target = to === undefined ? undefined : running.inbound(to)
  if (target && isSpread(target)) throw notTogether(tag, target, 'sends clients on to')
  const neighbour = running.inbounds.find((other) => share(other.config, config))
  if (neighbour && isSpread(neighbour) !== (oneThread === undefined)) {
    throw notTogether(tag, neighbour, 'has an address in common with')
  }
  return oneThread === undefined ? config : { ...config, oneThread }
}

/** Rules that lead to the API. @throws ProxyError CONTROL_INVALID where they do so for an inbound that other threads serve */
export function checkDoors(rules: readonly RoutingRule[], { inbounds, config }: Running): void {
  const api = config.api?.tag
  if (api === undefined) return
  const doors = rules.filter(({ outboundTag }) => outboundTag === api).flatMap(({ inboundTags = [] }) => inboundTags)
  const door = inbounds.find((inbound) => doors.includes(inbound.tag) && isSpread(inbound))
  if (door) {
    throw new ProxyError('CONTROL_INVALID', `workers serve the inbound "${door.tag}", and the API is in one thread`, {
      hint: 'write the rule into the configuration and reload it',
    })
  }
}

function reasonAmong(tag: string, { inbounds, api }: Running): string | undefined {
  if (api.isDoor(tag)) return 'it leads to the API'
  return inbounds.some(({ config }) => detourOf(config) === tag) ? 'another inbound sends clients here' : undefined
}

const detourOf = (config: InboundConfig): string | undefined =>
  config.protocol === 'vmess' ? config.settings.detourTo : undefined

const isSpread = ({ config }: RunningInbound): boolean => config.oneThread === undefined

const share = (a: InboundConfig, b: InboundConfig): boolean =>
  a.listen.some(({ address }) =>
    b.listen.some((other) => address.port !== 0 && formatAddress(other.address) === formatAddress(address)),
  )

const notTogether = (tag: string, { tag: other }: RunningInbound, how: string): ProxyError =>
  new ProxyError('CONTROL_INVALID', `the inbound "${tag}" ${how} "${other}", and not the same threads serve them`, {
    hint: 'write both into the configuration and reload it',
  })
