/**
 * The second of the five files of the data path: an inbound asks for a target; the user's limits let it in, an outbound
 * is chosen and dialled, the client is greeted, and bytes are carried until both sides are done.
 */

import type { Conn } from '../../core/conn.ts'
import type { Outbound } from '../../core/dialer.ts'
import type { Env } from '../../core/env.ts'
import { ProxyError, toProxyError } from '../../core/errors.ts'
import type { Ended, Greet, InboundIo } from '../../core/inbound.ts'
import type { Lifetime } from '../../core/lifetime.ts'
import type { Observer } from '../../core/observer.ts'
import type { Session } from '../../core/session.ts'
import { relay } from '../../relay/relay.ts'
import { type PolicyConfig, policyOf } from '../../settings/model.ts'
import type { CounterSource } from '../../stats/counters.ts'
import { DialLimit } from './dial-limit.ts'
import type { Flow, Origin } from './flow.ts'
import type { Flows } from './flows.ts'
import { greeted, handshake } from './handshake.ts'
import type { LoopGuard } from './loop-guard.ts'
import { countersOf, flowTerms } from './policy.ts'

/** Which outbound carries a flow; at once where no name has to be resolved for it. May set `session.routed`. */
export type Route = (session: Session, until: Lifetime) => Outbound | undefined | Promise<Outbound | undefined>

export interface DispatchDeps {
  readonly env: Env
  /** The policy of this moment: a reload changes it. */
  readonly policy: () => PolicyConfig
  readonly route: Route
  readonly flows: Flows
  readonly counters: CounterSource
  readonly observer: Required<Observer>
  readonly loops: LoopGuard
  /** Connections in a handshake, waiting for their target, or between two requests: a stop cuts them first. */
  readonly handshakes: Set<Conn>
}

/** What one inbound may ask for. */
export function createDispatch(origin: Origin, deps: DispatchDeps): InboundIo {
  const { env, flows, observer } = deps

  async function connect(flow: Flow, near: Conn): Promise<Conn> {
    const { session } = flow
    flow.account?.admit(flow)
    const limit = new DialLimit(env.clock, near, policyOf(deps.policy(), session.user.level).downlinkOnly * 1000)
    deps.handshakes.add(near)
    try {
      const routed = deps.route(session, limit.until)
      const outbound = routed instanceof Promise ? await routed : routed
      if (!outbound) throw new ProxyError('NO_OUTBOUND', 'the configuration has no outbound')
      if (!deps.loops.entered(near, session, origin.at)) throw loop(outbound, origin)
      session.outboundTag = outbound.tag
      observer.routed(session, outbound.tag)
      const far = await outbound.dial(session.routed ?? session.target, { until: limit.until, session })
      flow.far = far
      flow.farLevel = far.info.level ?? outbound.level ?? 0
      if (!near.gone) return far
      far.destroy()
      throw new ProxyError('DIAL_ABORTED', 'the client went away before the target was reached')
    } finally {
      limit.done()
      deps.handshakes.delete(near)
    }
  }

  async function failed(flow: Flow, near: Conn, error: unknown, greet: Greet | undefined): Promise<Ended> {
    flows.close(flow)
    const failure = toProxyError(flow.reason ?? error, 'DIAL_FAILED')
    observer.failed(flow.session, failure)
    await greeted(greet, failure)
    near.destroy(failure)
    return failure
  }

  async function joined(flow: Flow, near: Conn, far: Conn): Promise<Ended> {
    const { session } = flow
    const policy = deps.policy()
    const terms = flowTerms(policy, session.user.level, flow.farLevel)
    near.holdAtMost(terms.heldAtMost)
    far.holdAtMost(terms.heldAtMost)
    const meters = flow.meters(countersOf(deps.counters, policy, session))
    const reason = await relay(near, far, terms, env.clock, meters).finally(() => flows.close(flow))
    const ended = flow.reason ?? reason
    observer.closed(session, flow.totals, ended)
    return ended
  }

  return {
    async carry(near, request, greet) {
      const flow = flows.open(origin, near, request)
      observer.opened(flow.session)
      let far: Conn
      try {
        far = await connect(flow, near)
      } catch (error) {
        return failed(flow, near, error, greet)
      }
      await greeted(greet, far)
      return joined(flow, near, far)
    },

    reject(near, reason, user) {
      const at = { inboundTag: origin.tag, source: near.info.remote, email: user?.email ?? '' }
      observer.rejected(at, toProxyError(reason, 'CONN_CLOSED'))
    },

    handshake: (near, step, level = 0) => handshake(near, step, policyOf(deps.policy(), level).handshake, deps),
  }
}

const loop = (outbound: Outbound, origin: Origin): ProxyError =>
  new ProxyError(
    'LOOP_DETECTED',
    `the outbound "${outbound.tag}" leads back to the inbound "${origin.tag || origin.at}"`,
    {
      hint: 'point the outbound at another machine or port',
    },
  )
