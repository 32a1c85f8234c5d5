/** What can be seen and changed of rules and balancers while they run. */
import type { BalancerConfig, RoutingRule } from '../settings/routing.ts'

export interface RuleView {
  /** Its label; `''`: none. */
  readonly ruleTag: string
  /** `''` where a balancer chooses. */
  readonly outboundTag: string
}

export interface BalancerView {
  /** What was chosen instead of the strategy; `''`: nothing. */
  readonly override: string
  /** What the strategy chooses among, best first. */
  readonly principle: readonly string[]
}

/** A connection that is asked about. */
export interface RouteQuestion {
  readonly network: 'tcp' | 'udp'
  /** A name, or `''` where only addresses are known. */
  readonly domain: string
  readonly targetIps: readonly string[]
  readonly targetPort: number
  readonly sourceIp: string
  readonly sourcePort: number
  readonly localIp: string
  readonly localPort: number
  readonly user: string
  readonly inboundTag: string
  readonly protocol: string
  readonly attributes: Readonly<Record<string, string>>
}

export interface RouteAnswer {
  readonly ruleTag: string
  /** Where it goes; `''`: the rule leads nowhere. */
  readonly outboundTag: string
  /** Addresses of the name, where it was resolved. */
  readonly resolved: readonly string[]
}

export interface ObservationView {
  readonly tag: string
  readonly alive: boolean
  /** Milliseconds. */
  readonly delayMs: number
  readonly reason: string
  /** Milliseconds since the epoch; 0: never. */
  readonly lastSeen: number
  readonly lastTry: number
  /** Counts, and milliseconds. */
  readonly samples?: {
    readonly all: number
    readonly fail: number
    readonly deviation: number
    readonly average: number
    readonly max: number
    readonly min: number
  }
}

export interface RoutingControl {
  /** In the order in which they are looked at. */
  rules(): Promise<readonly RuleView[]>
  /**
   * Adds rules and balancers behind those that there are, or (`append` false) puts them in their place; connections in
   * progress stay as they are. All or nothing. Rejects with CONTROL_CONFLICT for a tag that is there already,
   * CONTROL_NOT_FOUND for a balancer that is not, CONFIG_INVALID for a list that is not.
   */
  addRules(rules: readonly RoutingRule[], balancers: readonly BalancerConfig[], append: boolean): Promise<void>
  /** Takes out every rule with this label. Returns how many. */
  removeRules(ruleTag: string): Promise<number>
  balancer(tag: string): Promise<BalancerView | undefined>
  /** Chooses for a balancer, until it is told `''`. Rejects with CONTROL_NOT_FOUND. */
  overrideBalancer(tag: string, target: string): Promise<void>
  /** Which rule would take a connection, and where it would go; undefined: none. Rejects with NO_OUTBOUND for a balancer that has none. */
  testRoute(question: RouteQuestion): Promise<RouteAnswer | undefined>
  /** What is known of outbounds by measuring them; undefined: nothing measures. */
  observations(): Promise<readonly ObservationView[] | undefined>
}
