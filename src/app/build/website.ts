import type { Address } from '../../core/address.ts'
import { formatAddress } from '../../core/address.ts'
import type { Conn } from '../../core/conn.ts'
import type { Dialer } from '../../core/dialer.ts'
import type { Env } from '../../core/env.ts'
import { limits } from '../../core/limits.ts'
import { countInto } from '../../core/streams/meter.ts'
import { onceEvery } from '../../core/time/once-every.ts'
import type { Website } from '../../core/website.ts'
import { relay } from '../../relay/relay.ts'
import type { FallbackConfig } from '../../settings/stream.ts'
import { folderSite } from '../../transport/website/folder.ts'
import { say } from '../../transport/website/http1.ts'
import { page } from '../../transport/website/pages.ts'
import { plainSite } from '../../transport/website/plain.ts'

export interface WebsiteDeps {
  readonly env: Env
  /** To the server that answers. */
  readonly dialer: Dialer
}

/** What whoever is not for the proxy meets. Throws for a folder that cannot be read. */
export function websiteOf(config: FallbackConfig | undefined, deps: WebsiteDeps): Website {
  if (!config) return plainSite
  return 'root' in config ? folderSite(config.root) : serverSite(config.to, deps)
}

const idle = { connIdleMs: limits.siteIdleMs, uplinkOnlyMs: limits.siteIdleMs, downlinkOnlyMs: limits.siteIdleMs }

/** Another server, which gets every byte as it came. Where it cannot be reached the answer is that of a web server in front of it. */
function serverSite(to: Address, { env, dialer }: WebsiteDeps): Website {
  const { clock, log } = env
  const due = onceEvery(clock, limits.siteWarningMs)
  const unreachable = page(502, { last: true })
  const reach = async (carrier: Conn): Promise<Conn | undefined> => {
    try {
      return await dialer.dial(to, { until: carrier })
    } catch (error) {
      if (!carrier.gone && due('')) {
        log.warn({}, `the fallback server ${formatAddress(to)} cannot be reached: ${(error as Error).message}`)
      }
      return undefined
    }
  }
  return {
    configured: true,
    answer: async () => unreachable,
    async takeOver(carrier) {
      const far = await reach(carrier)
      try {
        if (far) await relay(carrier, far, idle, clock, countInto({ uplink: 0, downlink: 0 }))
        else await say(carrier, clock, unreachable, { keepAlive: false })
      } catch {
        carrier.destroy() // it broke, and there is nobody left to tell
      }
    },
  }
}
