import type { Outbound } from '../../core/dialer.ts'
import { isProxyError, ProxyError } from '../../core/errors.ts'
import type { Ground, Resolve } from '../../core/ground.ts'

/** The outbound that has a tag at this moment. */
export type FindOutbound = (tag: string) => Outbound | undefined

/**
 * The world behind another outbound: what dials on this ground goes through it. It is looked up for every dial, so that one
 * that a reload or an API exchanges is used at once.
 */
export function throughOutbound(tag: string, find: FindOutbound, resolve: Resolve): Ground {
  const found = (): Outbound => {
    const outbound = find(tag)
    if (outbound) return outbound
    throw new ProxyError('NO_OUTBOUND', `there is no outbound ${JSON.stringify(tag)} to go through`)
  }
  /** Which way it was that failed; a reason of the one who asked is none of the way's. */
  const told = (error: unknown): unknown => {
    if (!isProxyError(error) || error.fault === 'local') return error
    const { code, message, hint } = error
    return new ProxyError(code, `through the outbound ${JSON.stringify(tag)}: ${message}`, { cause: error, hint })
  }
  return {
    tcp: {
      async dial(to, options) {
        const outbound = found()
        try {
          return await outbound.dial(to, options)
        } catch (error) {
          throw told(error)
        }
      },
    },
    udp: {
      takesNames: true,
      async open(options) {
        const { packets } = found()
        if (!packets) {
          throw new ProxyError(
            'OUTBOUND_TCP_ONLY',
            `the outbound ${JSON.stringify(tag)}, which it would go through, does not carry UDP`,
          )
        }
        try {
          return await packets.open(options)
        } catch (error) {
          throw told(error)
        }
      },
    },
    resolve,
    isOwn: () => false,
  }
}
