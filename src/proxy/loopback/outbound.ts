import type { Outbound } from '../../core/dialer.ts'
import { ProxyError } from '../../core/errors.ts'
import type { LoopbackSettings } from '../../settings/model.ts'

/** The router follows `reenters` before anything is dialled; whoever dials it past the router gets nowhere. */
export function createLoopback(tag: string, { inboundTag }: LoopbackSettings): Outbound {
  const pastRouter = () =>
    new ProxyError('OUTBOUND_BLOCKED', `the outbound "${tag}" leads back to the rules, and only rules can lead there`)
  return {
    tag,
    reenters: inboundTag,
    packets: { open: ({ until }) => Promise.reject(until.gone ?? pastRouter()) },
    dial: (_to, { until }) => Promise.reject(until.gone ?? pastRouter()),
    async close() {},
  }
}
