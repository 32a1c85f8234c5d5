/**
 * The second of the five files of the data path: an inbound asks for a target, and an outbound is chosen, dialled and
 * joined. Until there are routing rules every flow takes the first outbound.
 */

import { type PolicyConfig, policyOf } from '../config/model.ts'
import type { Conn } from '../core/conn.ts'
import { dialDeadline } from '../core/deadline.ts'
import type { Outbound } from '../core/dialer.ts'
import type { Env } from '../core/env.ts'
import { ProxyError, toProxyError } from '../core/errors.ts'
import type { InboundIo } from '../core/inbound.ts'
import type { Observer } from '../core/observer.ts'
import type { FlowRequest, Session } from '../core/session.ts'
import { type RelayLimits, relay } from '../relay/relay.ts'
import type { LoopGuard } from './loop-guard.ts'

export interface DispatchDeps {
  readonly env: Env
  readonly policy: PolicyConfig
  /** The first one is the default route. */
  readonly outbounds: readonly Outbound[]
  readonly observer: Required<Observer>
  readonly loops: LoopGuard
  /** Connections in a handshake, or between two requests: a stop cuts them first. */
  readonly handshakes: Set<Conn>
}

let sessions = 0

/** What one inbound may ask for; `at` names it where it has no tag. */
export function createDispatch({ tag, at }: { tag: string; at: string }, deps: DispatchDeps): InboundIo {
  const { env, observer } = deps
  const flows = new WeakMap<Conn, { session: Session; level: number }>()

  function open(near: Conn, request: FlowRequest): Session {
    const { network, target, user = { email: '', level: 0 }, attributes } = request
    const base = { id: ++sessions, inboundTag: tag, source: near.info.remote, startedAt: env.clock.now() }
    return { ...base, network, target, user, ...(attributes && { attributes }) }
  }

  async function dial(near: Conn, session: Session): Promise<{ far: Conn; level: number }> {
    const outbound = deps.outbounds[0]
    if (!outbound) throw new ProxyError('NO_OUTBOUND', 'the configuration has no outbound')
    if (!deps.loops.entered(near, session, at)) {
      throw new ProxyError('LOOP_DETECTED', `the outbound "${outbound.tag}" leads back to the inbound "${tag || at}"`, {
        hint: 'point the outbound at another machine or port',
      })
    }
    session.outboundTag = outbound.tag
    observer.routed(session, outbound.tag)
    const limit = dialDeadline(env.clock, near.signal)
    try {
      const far = await outbound.dial(session.target, { signal: limit.signal, session })
      if (near.signal.aborted) {
        far.destroy()
        throw new ProxyError('DIAL_ABORTED', 'the client went away before the target was reached')
      }
      return { far, level: far.info.level ?? outbound.level ?? 0 }
    } finally {
      limit.done()
    }
  }

  return {
    async connect(near, request) {
      const session = open(near, request)
      observer.opened(session)
      try {
        const { far, level } = await dial(near, session)
        flows.set(far, { session, level })
        return far
      } catch (error) {
        const failure = toProxyError(error, 'DIAL_FAILED')
        observer.failed(session, failure)
        throw failure
      }
    },

    async relay(near, far) {
      const flow = flows.get(far)
      if (!flow) throw new ProxyError('PROTOCOL_MISUSE', 'relay() takes what connect() gave')
      const { session, level } = flow
      const totals = { uplink: 0, downlink: 0 }
      const reason = await relay(near, far, idleLimits(deps.policy, session.user.level, level), env.clock, totals)
      observer.closed(session, totals, reason)
    },

    reject(near, reason, user) {
      observer.rejected(
        { inboundTag: tag, source: near.info.remote, email: user?.email ?? '' },
        toProxyError(reason, 'CONN_CLOSED'),
      )
    },

    async handshake(near, step, level = 0) {
      const seconds = policyOf(deps.policy, level).handshake
      const cancel = env.clock.after(seconds * 1000, () => {
        near.destroy(new ProxyError('HANDSHAKE_TIMEOUT', `the handshake was not complete after ${seconds} s`))
      })
      deps.handshakes.add(near)
      return step().finally(() => {
        cancel()
        deps.handshakes.delete(near)
      })
    },
  }
}

/** The user's level decides, and the outbound's account as well where it has a level of its own. */
function idleLimits(policy: PolicyConfig, near: number, far: number): RelayLimits {
  const a = policyOf(policy, near)
  const b = far === 0 ? a : policyOf(policy, far)
  const least = (pick: 'connIdle' | 'uplinkOnly' | 'downlinkOnly') => Math.min(a[pick], b[pick]) * 1000
  return { connIdleMs: least('connIdle'), uplinkOnlyMs: least('uplinkOnly'), downlinkOnlyMs: least('downlinkOnly') }
}
