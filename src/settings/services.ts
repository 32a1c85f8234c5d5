/** What runs beside the proxies, and on how many threads they run. */
import type { Address } from '../core/address.ts'

export type ApiService = 'HandlerService' | 'LoggerService' | 'ObservatoryService' | 'RoutingService' | 'StatsService'

export interface ApiConfig {
  /** Name of the outbound that serves it. */
  readonly tag: string
  readonly services: readonly ApiService[]
  /** A port of its own. */
  readonly listen?: Address
}

export interface ControlConfig {
  readonly listen: Address
  /** What a caller must show. Secret. */
  readonly token: string
}

export interface AccountingConfig {
  /** Path of the store. */
  readonly path: string
  /** Seconds between two writes, 1 to 10. */
  readonly flushS: number
}

/** How many; or one for each core that the process may have. */
export type WorkersConfig = number | 'auto'
