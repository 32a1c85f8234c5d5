/**
 * The last of the five files of the data path: two pumps joined back to back.
 *
 * 1. Each pump drains one side into the other; a batch is counted and written on while it is still lent. Where a speed
 *    limit holds it is written on piece by piece, and the source waits.
 * 2. When one side ends, the other is told (half-close) and a shorter idle limit holds for what remains.
 * 3. When both have ended, or one broke, or nothing passed for too long, both connections go.
 */

import type { Conn } from '../core/conn.ts'
import type { Clock } from '../core/env.ts'
import { isProxyError, ProxyError, toProxyError } from '../core/errors.ts'
import type { Meter, Meters } from '../core/meter.ts'
import { IdleTimer } from './idle.ts'

/** Idle limits of one flow, milliseconds. */
export interface RelayLimits {
  readonly connIdleMs: number
  /** After the downlink ended. */
  readonly uplinkOnlyMs: number
  /** After the uplink ended. */
  readonly downlinkOnlyMs: number
}

/**
 * Carries bytes between `near` (the client) and `far` (towards the target) until both directions ended. Destroys both.
 * Tells `meters` as bytes pass. Resolves with the reason when the flow did not end in order; rejects only with a mistake of ours, never with a ProxyError.
 */
export async function relay(
  near: Conn,
  far: Conn,
  limits: RelayLimits,
  clock: Clock,
  meters: Meters,
): Promise<ProxyError | undefined> {
  let reason: ProxyError | undefined
  const cut = (why: ProxyError): void => {
    reason ??= why
    near.destroy(why)
    far.destroy(why)
  }
  const late = () => cut(new ProxyError('IDLE_TIMEOUT', 'no byte passed within the idle limit'))
  const held = () => meters.uplink.pace?.holds(far.signal) || meters.downlink.pace?.holds(near.signal) || false
  const idle = new IdleTimer(clock, limits.connIdleMs, late, held)

  // After one side has ended nobody reads it, yet its connection may die: its signal tells.
  let draining = 2
  const onGone = (): void => {
    const { signal } = near.signal.aborted ? near : far
    if (draining > 0) cut(toProxyError(signal.reason, 'CONN_CLOSED'))
  }
  near.signal.addEventListener('abort', onGone)
  far.signal.addEventListener('abort', onGone)

  const pump = (from: Conn, to: Conn, meter: Meter): Promise<void> => {
    const write = (bytes: Uint8Array): void | Promise<void> => {
      idle.touch()
      return to.write(bytes)
    }
    return from.drainTo((bytes) => {
      meter.add(bytes.length)
      const { pace } = meter
      return pace ? pace.pass(bytes, write, to.signal) : write(bytes)
    })
  }

  const uplink = async (): Promise<void> => {
    await pump(near, far, meters.uplink)
    draining--
    // The shorter limit begins when the last byte is out: a slow reader must not lose the end.
    await far.closeWrite()
    idle.limit(limits.downlinkOnlyMs)
  }

  const downlink = async (): Promise<void> => {
    await pump(far, near, meters.downlink)
    draining--
    await near.closeWrite()
    idle.limit(limits.uplinkOnlyMs)
  }

  try {
    if (near.signal.aborted) throw toProxyError(near.signal.reason, 'CONN_CLOSED')
    await Promise.all([uplink(), downlink()])
    return undefined
  } catch (error) {
    if (reason) return reason
    if (!isProxyError(error)) throw error
    return error
  } finally {
    idle.stop()
    near.signal.removeEventListener('abort', onGone)
    far.signal.removeEventListener('abort', onGone)
    near.destroy()
    far.destroy()
  }
}
