import type { Dialer } from '../../core/dialer.ts'
import { ProxyError } from '../../core/errors.ts'
import { limits } from '../../core/limits.ts'
import type { ResponseHead } from '../../protocol/http/head.ts'
import { tokensOf } from '../../protocol/http/headers.ts'
import type { HttpUpgradeConfig } from '../../settings/upgrade.ts'
import { readAnswer, requestBytes } from '../upgrade/client.ts'
import { hostFor } from '../upgrade/host.ts'
import type { UpgradeDeps } from '../upgrade/model.ts'
import { whileDialling } from '../upgrade/while-dialling.ts'
import { UpgradedConn } from './conn.ts'

/**
 * HTTPUpgrade over what a dialer opens. Nothing is sent before the answer, for the Go peers lose what comes with a request;
 * with `fastOpen`, which is only for servers that keep it, the answer is waited for by reading.
 */
export const httpUpgradeClient =
  (config: HttpUpgradeConfig, deps: UpgradeDeps) =>
  (base: Dialer): Dialer => ({
    async dial(to, options) {
      const carrier = await base.dial(to, options)
      const host = hostFor(to, config, deps)
      const { path: target, headers } = config
      const own = [
        ['Connection', 'Upgrade'],
        ['Upgrade', 'websocket'],
      ] as const
      carrier.write(requestBytes({ target, host, headers, own }), () => {})?.catch(() => {}) // shows where it is read
      const answer = () => readAnswer(carrier, { target, host, protocol: 'HTTPUpgrade' }, wrongAnswer)
      if (!config.fastOpen) {
        return whileDialling(carrier, options, async () => new UpgradedConn(carrier, await answer()))
      }
      const late = new ProxyError('UPGRADE_FAILED', `no answer to the upgrade within ${limits.upgradeMs / 1000} s`)
      const cancel = deps.env.clock.after(limits.upgradeMs, () => carrier.destroy(late))
      return new UpgradedConn(carrier, answer().finally(cancel))
    },
  })

/** Lenient where middle boxes rewrite. */
function wrongAnswer({ headers }: ResponseHead): string | undefined {
  return tokensOf(headers, 'Upgrade').includes('websocket') ? undefined : 'the server changed to something else'
}
