/** What one user may use. Kept by e-mail: all inbounds and all connections of a user share them. */
export interface UserLimits {
  /** False: the user is known and turned away. */
  readonly enabled: boolean
  /** Plaintext bytes per second from the client, over all connections; 0: no limit. */
  readonly uplink: number
  /** Plaintext bytes per second to the client, over all connections; 0: no limit. */
  readonly downlink: number
  /** Connections at once; 0: no limit. */
  readonly connections: number
  /** Client addresses at once, an IPv6 network of 64 bits counting as one; 0: no limit. */
  readonly addresses: number
  /** How long an address too many is borne with, in case the device only moved, seconds. */
  readonly addressGraceS: number
  /** Plaintext bytes both ways until the user is turned away; 0: no limit. */
  readonly quota: number
  /** Milliseconds since the epoch; 0: never. */
  readonly expiresAt: number
  /** Milliseconds from the first connection; 0: never. Where there is expiresAt as well, the earlier one holds. */
  readonly expiresAfterMs: number
}

export const unlimited: UserLimits = {
  enabled: true,
  uplink: 0,
  downlink: 0,
  connections: 0,
  addresses: 0,
  addressGraceS: 60,
  quota: 0,
  expiresAt: 0,
  expiresAfterMs: 0,
}

export const sameLimits = (a: UserLimits, b: UserLimits): boolean =>
  a === b || (Object.keys(unlimited) as (keyof UserLimits)[]).every((name) => a[name] === b[name])
