/**
 * The second of the five files of the data path: an inbound asks for a target; the user's limits let it in, an outbound
 * is chosen and dialled, the client is greeted, and bytes are carried until both sides are done. Datagrams take the same steps.
 */

import type { Conn } from '../../core/conn.ts'
import type { Outbound } from '../../core/dialer.ts'
import { ProxyError, toProxyError } from '../../core/errors.ts'
import type { Ended, Greet, InboundIo } from '../../core/inbound.ts'
import { policyOf } from '../../settings/model.ts'
import { recognise } from '../sniffing/recognise.ts'
import type { DispatchDeps } from './deps.ts'
import { DialLimit } from './dial-limit.ts'
import { decideFor } from './each-target.ts'
import type { End, Flow, Origin } from './flow.ts'
import { greeted, handshake } from './handshake.ts'
import { countersOf, flowTerms } from './policy.ts'
import { datagrams, streams, type Way } from './ways.ts'

/** What an inbound may ask for, but for what it listens on. */
export type Dispatch = Omit<InboundIo, 'udpBeside'>

export function createDispatch(origin: Origin, deps: DispatchDeps): Dispatch {
  const { env, flows, observer } = deps

  async function connect<E extends End>(flow: Flow, near: E, way: Way<E>): Promise<E> {
    const { session } = flow
    const limit = new DialLimit(env.clock, near, policyOf(deps.policy(), session.user.level).downlinkOnly * 1000)
    deps.handshakes.add(near)
    try {
      const routed = deps.route(session, limit.until)
      const outbound = routed instanceof Promise ? await routed : routed
      if (!outbound) throw new ProxyError('NO_OUTBOUND', 'the configuration has no outbound')
      if (!deps.loops.entered(near, session, origin.at)) throw loop(outbound, origin)
      session.outboundTag = outbound.tag
      session.through = deps.waysOf?.(outbound)
      observer.routed(session, outbound.tag)
      const far = await way.open(outbound, session, limit.until, decideFor(origin, deps))
      flow.reached(far, outbound.level)
      if (near.gone) {
        far.destroy()
        throw new ProxyError('DIAL_ABORTED', 'the client went away before the target was reached')
      }
      observer.connected(session)
      return far
    } finally {
      limit.done()
      deps.handshakes.delete(near)
    }
  }

  async function failed(flow: Flow, error: unknown, greet: Greet | undefined): Promise<Ended> {
    flows.close(flow)
    const failure = toProxyError(flow.reason ?? error, 'DIAL_FAILED')
    observer.failed(flow.session, failure)
    await greeted(greet, failure)
    flow.near.destroy(failure)
    return failure
  }

  async function joined<E extends End>(flow: Flow, near: E, far: E, way: Way<E>): Promise<Ended> {
    const { session } = flow
    const policy = deps.policy()
    const terms = flowTerms(policy, session.user.level, flow.farLevel, flow.idleMs)
    const counted = flow.meters(countersOf(deps.counters, policy, session))
    const meters = session.network === 'udp' ? flows.quiet.noting(flow, counted) : counted
    let ended: Ended
    try {
      ended = await way.join(near, far, { session, terms, meters, clock: env.clock })
    } finally {
      flows.close(flow)
    }
    ended = flow.reason ?? ended
    flow.noteEncoding()
    observer.closed(session, flow.totals, ended)
    return ended
  }

  async function carried<E extends End>(flow: Flow, near: E, way: Way<E>, greet?: Greet): Promise<Ended> {
    const { session } = flow
    const { sniffing } = origin
    let waiting = greet
    let from = near
    let far: E
    observer.opened(session)
    try {
      const admitted = flow.account?.admit(flow)
      if (admitted) await admitted
      if (sniffing) {
        // Who waits for an answer says nothing yet.
        if (!sniffing.metadataOnly) waiting = await greeted(greet, undefined)
        from = await recognise(near, session, sniffing, way.sniff, deps)
      }
      far = await connect(flow, from, way)
    } catch (error) {
      return failed(flow, error, waiting)
    }
    // Only a stream has somebody who waits to be greeted.
    if (waiting) await greeted(waiting, far as Conn)
    return joined(flow, from, far, way)
  }

  return {
    carry: (near, request, greet) => carried(flows.open(origin, near, request), near, streams, greet),
    carryPackets: (near, request) => carried(flows.open(origin, near, request), near, datagrams),

    reject(near, reason, user) {
      const at = { inboundTag: origin.tag, source: near.info.remote, email: user?.email ?? '' }
      observer.rejected(at, toProxyError(reason, 'CONN_CLOSED'))
    },

    handshake: (near, step, level = 0) => handshake(near, step, policyOf(deps.policy(), level).handshake, deps),
  }
}

const hint = 'point the outbound at another machine or port'

const loop = ({ tag }: Outbound, { tag: inbound, at }: Origin): ProxyError =>
  new ProxyError('LOOP_DETECTED', `the outbound "${tag}" leads back to the inbound "${inbound || at}"`, { hint })
