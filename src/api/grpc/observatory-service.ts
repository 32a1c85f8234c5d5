import type { ObservationView } from '../../control/routing.ts'
import { given } from '../../messages/values.ts'
import { unknown } from './routing-rules.ts'
import type { Methods, ServiceDeps } from './service.ts'

export const observatoryService = ({ control }: ServiceDeps): Methods => ({
  GetOutboundStatus: async (request) => {
    if (request.text('Tag') !== '') {
      throw unknown('app/observatory/command: observatory does not support tagged features')
    }
    return { status: { status: ((await control.observations()) ?? []).map(statusOf) } }
  },
})

const ns = (ms: number): number => Math.round(ms * 1e6)

const statusOf = ({ tag, alive, delayMs, reason, lastSeen, lastTry, samples }: ObservationView): object => ({
  ...given({
    alive,
    delay: delayMs,
    last_error_reason: reason,
    outbound_tag: tag,
    last_seen_time: Math.floor(lastSeen / 1000),
    last_try_time: Math.floor(lastTry / 1000),
  }),
  ...(samples && {
    health_ping: given({
      all: samples.all,
      fail: samples.fail,
      deviation: ns(samples.deviation),
      average: ns(samples.average),
      max: ns(samples.max),
      min: ns(samples.min),
    }),
  }),
})
