import type { RoutingRule, RulePlace } from './routing.ts'

/** A rule on the address that an outbound really dials. Conditions are read as those of routing. */
export interface FinalRule extends RulePlace, Pick<RoutingRule, 'ips' | 'ports' | 'networks'> {
  readonly action: 'allow' | 'block'
}
