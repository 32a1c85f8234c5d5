/**
 * The second of the five files of the data path: an inbound asks for a target; the user's limits let it in, an outbound
 * is chosen, dialled and joined.
 */

import type { Conn } from '../../core/conn.ts'
import { dialDeadline } from '../../core/deadline.ts'
import type { Outbound } from '../../core/dialer.ts'
import type { Env } from '../../core/env.ts'
import { ProxyError, toProxyError } from '../../core/errors.ts'
import type { InboundIo } from '../../core/inbound.ts'
import type { Observer } from '../../core/observer.ts'
import type { Session } from '../../core/session.ts'
import { relay } from '../../relay/relay.ts'
import { type PolicyConfig, policyOf } from '../../settings/model.ts'
import type { CounterSource } from '../../stats/counters.ts'
import type { Flow, Origin } from './flow.ts'
import type { Flows } from './flows.ts'
import type { LoopGuard } from './loop-guard.ts'
import { countersOf, heldAtMost, relayLimits } from './policy.ts'

export interface DispatchDeps {
  readonly env: Env
  /** The policy of this moment: a reload changes it. */
  readonly policy: () => PolicyConfig
  /** Which outbound carries a flow. */
  readonly route: (session: Session) => Outbound | undefined
  readonly flows: Flows
  readonly counters: CounterSource
  readonly observer: Required<Observer>
  readonly loops: LoopGuard
  /** Connections in a handshake, or between two requests: a stop cuts them first. */
  readonly handshakes: Set<Conn>
}

/** What one inbound may ask for. */
export function createDispatch(origin: Origin, deps: DispatchDeps): InboundIo {
  const { env, flows, observer } = deps
  const connected = new WeakMap<Conn, { flow: Flow; level: number }>()

  async function dial(flow: Flow): Promise<{ far: Conn; level: number }> {
    const { near, session } = flow
    flow.account?.admit(flow)
    const outbound = deps.route(session)
    if (!outbound) throw new ProxyError('NO_OUTBOUND', 'the configuration has no outbound')
    if (!deps.loops.entered(near, session, origin.at)) {
      const message = `the outbound "${outbound.tag}" leads back to the inbound "${origin.tag || origin.at}"`
      throw new ProxyError('LOOP_DETECTED', message, { hint: 'point the outbound at another machine or port' })
    }
    session.outboundTag = outbound.tag
    observer.routed(session, outbound.tag)
    const limit = dialDeadline(env.clock, near.signal)
    try {
      const far = await outbound.dial(session.target, { signal: limit.signal, session })
      if (near.signal.aborted) {
        far.destroy()
        throw flow.reason ?? new ProxyError('DIAL_ABORTED', 'the client went away before the target was reached')
      }
      return { far, level: far.info.level ?? outbound.level ?? 0 }
    } finally {
      limit.done()
    }
  }

  return {
    async connect(near, request) {
      const flow = flows.open(origin, near, request)
      observer.opened(flow.session)
      try {
        const { far, level } = await dial(flow)
        flow.far = far
        connected.set(far, { flow, level })
        return far
      } catch (error) {
        flows.close(flow)
        const failure = toProxyError(flow.reason ?? error, 'DIAL_FAILED')
        observer.failed(flow.session, failure)
        throw failure
      }
    },

    async relay(near, far) {
      const { flow, level } = connected.get(far) ?? {}
      if (!flow || level === undefined) throw new ProxyError('PROTOCOL_MISUSE', 'relay() takes what connect() gave')
      const { session } = flow
      const policy = deps.policy()
      const meters = flow.meters(countersOf(deps.counters, policy, session))
      const limits = relayLimits(policy, session.user.level, level)
      const held = heldAtMost(policy, session.user.level, level)
      near.holdAtMost(held)
      far.holdAtMost(held)
      const reason = await relay(near, far, limits, env.clock, meters).finally(() => flows.close(flow))
      observer.closed(session, flow.totals, flow.reason ?? reason)
    },

    reject(near, reason, user) {
      const at = { inboundTag: origin.tag, source: near.info.remote, email: user?.email ?? '' }
      observer.rejected(at, toProxyError(reason, 'CONN_CLOSED'))
    },

    async handshake(near, step, level = 0) {
      const seconds = policyOf(deps.policy(), level).handshake
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
