/** Bounds of rules, data files and measurements; part of `limits`. */
export const routingLimits = {
  /** Lists that are known of one data file; behind them it is not looked at. */
  geoLists: 65_536,
  /** How often a flow goes through the rules again by loopback outbounds; once more, and it is taken for one that never ends. */
  loopbackTurns: 16,
  /** Targets of one client socket for which it is known where rules lead them; when full the one met first is asked for again. */
  routedTargets: 1_024,
  /** Selections of rules by inbound, network and port that are remembered; when full all are made again as they are needed. */
  rememberedSelections: 4_096,
  /** Measurements of one outbound that are kept. */
  probeSamples: 1_000,
} as const
