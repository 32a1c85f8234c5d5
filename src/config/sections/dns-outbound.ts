/** Names in the rules of dns outbounds, which are in the language of routing: the schema of a kind knows nothing of that. */
import type { Context } from '../../schema/context.ts'
import type { ReadOutbound } from '../ends/outbound.ts'
import { checkDomainRule } from '../routing/names.ts'

export function checkDnsOutbounds(outbounds: readonly ReadOutbound[], context: Context): void {
  for (const { config, owner } of outbounds) {
    if (config?.protocol !== 'dns') continue
    for (const rule of config.settings.rules) {
      for (const text of rule.domains) checkDomainRule(text, context.report.at(owner, 'settings'), context)
    }
  }
}
