/**
 * Two pumps of datagrams joined back to back. What relay.ts does for streams, with these differences:
 *
 * 1. Nothing waits. What the other side does not take is dropped, and so is what goes beyond a speed limit.
 * 2. A meter counts what was handed on, not what was dropped; drops are counted for themselves.
 * 3. An end is mostly silence: the idle limit is how most of these flows end.
 */

import type { PacketConn } from '../core/datagrams/packet.ts'
import type { Clock } from '../core/env.ts'
import { isProxyError, ProxyError, toProxyError } from '../core/errors.ts'
import type { Totals } from '../core/session.ts'
import type { Meter, Meters } from '../core/streams/meter.ts'
import { IdleTimer, type RelayLimits } from './idle.ts'

/**
 * Carries datagrams between `near` (the client) and `far` (towards the targets) until both directions ended. Destroys both.
 * Datagrams that a limit or the other side did not let pass are counted in `drops`, which may be read at any time; at the end
 * what a side has dropped after it took it, or before anybody read it, is added. Resolves with the reason when the flow did not end in
 * order; rejects only with a mistake of ours.
 */
export async function relayPackets(
  near: PacketConn,
  far: PacketConn,
  limits: RelayLimits,
  clock: Clock,
  meters: Meters,
  drops: Totals,
): Promise<ProxyError | undefined> {
  let reason: ProxyError | undefined
  /** Counted already, of what a side's `dropped` says. */
  const refused = { uplink: 0, downlink: 0 }
  const cut = (why: ProxyError): void => {
    reason ??= why
    near.destroy(why)
    far.destroy(why)
  }
  const droppedBefore = { near: near.dropped, far: far.dropped }
  const idle = new IdleTimer(clock, limits.connIdleMs, {
    expired: () => cut(new ProxyError('IDLE_TIMEOUT', 'no datagram passed within the idle limit')),
    held: () => false,
  })
  // After one side has ended nobody drains it, yet it may die.
  let draining = 2
  const onGone = (why: Error): void => {
    if (draining > 0) cut(toProxyError(why, 'CONN_CLOSED'))
  }
  const leave = [near.onGone(onGone), far.onGone(onGone)]
  const pump = (from: PacketConn, to: PacketConn, meter: Meter, direction: keyof Totals): Promise<void> =>
    from.drainTo((bytes, address) => {
      idle.touch()
      const { pace } = meter
      if (pace && !pace.admit(bytes.length, to)) drops[direction]++
      else if (to.send(bytes, address)) meter.add(bytes.length)
      else {
        drops[direction]++
        refused[direction]++
      }
    })
  const uplink = async (): Promise<void> => {
    await pump(near, far, meters.uplink, 'uplink')
    draining--
    await far.closeWrite()
    idle.limit(limits.downlinkOnlyMs)
  }
  const downlink = async (): Promise<void> => {
    await pump(far, near, meters.downlink, 'downlink')
    draining--
    await near.closeWrite()
    idle.limit(limits.uplinkOnlyMs)
  }
  try {
    if (reason) return reason
    await Promise.all([uplink(), downlink()])
    return undefined
  } catch (error) {
    if (reason) return reason
    if (!isProxyError(error)) throw error
    return error
  } finally {
    idle.stop()
    for (const cancel of leave) cancel()
    near.destroy()
    far.destroy()
    drops.uplink += far.dropped - droppedBefore.far - refused.uplink + (near.missed ?? 0)
    drops.downlink += near.dropped - droppedBefore.near - refused.downlink + (far.missed ?? 0)
  }
}
