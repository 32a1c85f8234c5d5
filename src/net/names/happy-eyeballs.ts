import { type Address, formatAddress, parseHost } from '../../core/address.ts'
import type { Conn } from '../../core/conn.ts'
import type { Dialer, DialOptions } from '../../core/dialer.ts'
import type { Clock, Logger } from '../../core/env.ts'
import type { Resolve } from '../../core/ground.ts'
import { type Attempt, Race, type RaceConfig } from './race.ts'

export interface HappyEyeballsDeps {
  readonly resolve: Resolve
  readonly clock: Clock
  /** Told at debug what each address said. */
  readonly log: Logger
  /** Where it is not to go as RFC 8305 says. */
  readonly race?: RaceConfig
}

/**
 * A dialer of names over one that dials IP addresses: Happy Eyeballs (RFC 8305). Both families are asked for at once and
 * take turns, IPv6 first: on a machine without IPv6 that attempt fails in no time and the next one starts with it, so
 * that nobody has to find out beforehand which routes there are. Attempts start `limits.attemptDelayMs` apart or when
 * one has failed, earlier ones go on for as long as the dial may take, the first that connects wins.
 */
export function happyEyeballs(base: Dialer, deps: HappyEyeballsDeps): Dialer {
  return {
    dial(to, options) {
      return to.path === undefined && isName(to.host) ? raced(base, to, options, deps) : base.dial(to, options)
    },
  }
}

const isName = (host: string): boolean =>
  parseHost(host.includes('%') ? host.replace(/%.*$/, '') : host).kind === 'domain'

async function raced(base: Dialer, to: Address, options: DialOptions, deps: HappyEyeballsDeps): Promise<Conn> {
  const race = new Race(base, to, options, deps)
  try {
    return await race.run()
  } finally {
    if (race.attempts.length > 1 || race.attempts.some(({ failed }) => failed)) {
      deps.log.debug({ target: formatAddress(to), attempts: race.attempts.map(told) }, 'several addresses were tried')
    }
  }
}

const told = ({ address, startedMs, said, saidMs }: Attempt): object => ({ address, startedMs, said, saidMs })
