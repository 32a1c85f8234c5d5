import type { Address } from '../../core/address.ts'
import type { Conn } from '../../core/conn.ts'
import type { Dialer, DialOptions } from '../../core/dialer.ts'
import type { Clock } from '../../core/env.ts'
import { isProxyError, ProxyError } from '../../core/errors.ts'
import { limits } from '../../core/limits.ts'
import { deadline } from '../../core/time/deadline.ts'
import type { Attempt, BackOff } from './back-off.ts'

/** A server that may be out of order. */
export interface Reachable {
  readonly address: Address
  readonly backOff: BackOff
}

/** Servers that stand for each other. */
export interface Candidates<S extends Reachable> {
  /** The one to try, out of those that this request has not tried; undefined when none is left. */
  pick(tried: ReadonlySet<S>): S | undefined
  /** Whether pick() would find another one. */
  left(tried: ReadonlySet<S>): boolean
  /** A connection to it is there. */
  reached(server: S): void
  /** It could not be reached. */
  failed(server: S, attempt: Attempt, error: ProxyError): void
}

/**
 * Connects to one of the servers: whose turn it is or, when that cannot be reached, another, until all were tried. An
 * attempt gets `limits.attemptMs` while there are others left, the last one all the time that remains.
 *
 * @throws ProxyError of the last attempt; at once when it is not the server that fails: the dial is over, or it is this machine
 */
export async function reach<S extends Reachable>(
  servers: Candidates<S>,
  dialer: Dialer,
  clock: Clock,
  options: DialOptions,
): Promise<{ server: S; base: Conn }> {
  const tried = new Set<S>()
  let failure: ProxyError | undefined
  for (let server = servers.pick(tried); server; server = servers.pick(tried)) {
    tried.add(server)
    const attempt = server.backOff.begin()
    const beganMs = clock.elapsed()
    const limit = servers.left(tried) ? deadline(clock, limits.attemptMs, attemptLate, options.until) : undefined
    try {
      const base = await dialer.dial(server.address, limit ? { ...options, until: limit.until } : options)
      servers.reached(server)
      return { server, base }
    } catch (error) {
      const { gone } = options.until
      const hadItsTime = clock.elapsed() - beganMs >= limits.attemptMs
      if (gone ? !(hadItsTime && isDialTimeout(gone)) : !isUnreachable(error)) {
        attempt.undecided()
        throw error
      }
      failure = error as ProxyError
      servers.failed(server, attempt, failure)
      if (gone) throw error
    } finally {
      limit?.done()
    }
  }
  throw tried.size > 1 ? noneOf(tried.size, failure!) : failure!
}

const attemptLate = () => new ProxyError('DIAL_TIMEOUT', `no connection within ${limits.attemptMs / 1000} s`)

/** The dial as a whole took too long, which is no wish of the client. */
const isDialTimeout = (reason: unknown): boolean => isProxyError(reason) && reason.code === 'DIAL_TIMEOUT'

/** Another server may do better: not when descriptors are short, or the flow leads back to ourselves. */
const isUnreachable = (error: unknown): error is ProxyError =>
  isProxyError(error) && (error.fault === 'network' || error.fault === 'remote')

function noneOf(count: number, last: ProxyError): ProxyError {
  const { code, hint } = last
  const message = `none of ${count} servers can be reached; the last one: ${last.message}`
  return new ProxyError(code, message, hint === undefined ? { cause: last } : { cause: last, hint })
}
