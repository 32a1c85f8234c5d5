import type { RoutingRule } from './routing.ts'

/** What an inbound does to find out the name and the protocol behind a target. */
export interface SniffingConfig {
  /** Beginnings of protocols (`http` stands for `http1`) whose name replaces the target; none: rules see the protocol, nothing else changes. */
  readonly override: readonly string[]
  /** Nothing is waited for and no byte is looked at. */
  readonly metadataOnly: boolean
  /** Rules see the name; the flow goes where the client asked. */
  readonly routeOnly: boolean
  /** Names and targets that are left as they are; the protocol is told all the same. Absent: none. */
  readonly excluded?: Pick<RoutingRule, 'at' | 'file' | 'line' | 'column' | 'domains' | 'ips'>
}
