import type { UserLimits } from '../core/user-limits.ts'

/** What is kept of one user. */
export interface StoredUser {
  /** In lower case. */
  readonly email: string
  /** Plaintext bytes that count against the quota. */
  readonly uplink: number
  readonly downlink: number
  /** When the time of a limit that counts from it began, milliseconds since the epoch; absent: it has not. */
  readonly firstUse?: number
  readonly override?: Override
}

/** Limits that an API changed, with what the configuration said at that time. */
export interface Override {
  readonly configured: UserLimits
  readonly limits: UserLimits
}

/** Where used traffic survives the process. All methods throw ProxyError STORE_FAILED. */
export interface UsageStore {
  load(): StoredUser[]
  /**
   * Replaces what is kept of these users: all of them or, when it throws, none. What it wrote survives the death of the
   * process. `now` in milliseconds since the epoch.
   */
  write(users: readonly StoredUser[], now: number): void
  /** Resolves when what was written survives a power failure too. */
  sync(): Promise<void>
  /** Frees the store for another process. */
  close(): void
}
