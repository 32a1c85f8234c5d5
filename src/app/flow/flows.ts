import type { AccountBook } from '../../account/book.ts'
import type { Clock } from '../../core/env.ts'
import type { ProxyError } from '../../core/errors.ts'
import type { FlowRequest } from '../../core/session.ts'
import { type End, Flow, type Origin } from './flow.ts'
import { FlowSession } from './flow-session.ts'
import { QuietFlows } from './quiet-flows.ts'

const nobody = { email: '', level: 0 }

export interface FlowsDeps {
  readonly clock: Clock
  readonly accounts: AccountBook
  /** The id of the next session: a whole number that nobody else was given who is seen by the same Control. */
  readonly nextId: () => number
  /** Told of each client that asks for something, and so has shown who it is. */
  readonly asked?: (near: End) => void
}

/** Counts up from 1. */
export function countingIds(): () => number {
  let last = 0
  return () => ++last
}

/** Every flow in progress, by the id of its session. */
export class Flows {
  /** Those of datagrams, by how long they have been quiet. */
  readonly quiet: QuietFlows
  readonly #clock: Clock
  readonly #accounts: AccountBook
  readonly #nextId: () => number
  readonly #asked: ((near: End) => void) | undefined
  readonly #flows = new Map<number, Flow>()

  constructor({ clock, accounts, nextId, asked }: FlowsDeps) {
    this.quiet = new QuietFlows(clock)
    this.#asked = asked
    this.#clock = clock
    this.#accounts = accounts
    this.#nextId = nextId
  }

  /** Enters a flow that a client asked for; nothing has been checked yet. One of datagrams may be the end of another. */
  open(origin: Origin, near: End, request: FlowRequest): Flow {
    const { network, user = nobody, idleMs } = request
    const session = new FlowSession(this.#nextId(), this.#clock.now(), origin.tag, near, request)
    const flow = new Flow(origin, session, { user, idleMs }, this.#accounts.get(user.email), near)
    this.#flows.set(session.id, flow)
    if (network === 'udp') this.quiet.enter(flow)
    this.#asked?.(near)
    return flow
  }

  /** Strikes a flow off. */
  close(flow: Flow): void {
    flow.account?.leave(flow)
    this.quiet.leave(flow)
    this.#flows.delete(flow.session.id)
  }

  get(id: number): Flow | undefined {
    return this.#flows.get(id)
  }

  get size(): number {
    return this.#flows.size
  }

  [Symbol.iterator](): IterableIterator<Flow> {
    return this.#flows.values()
  }

  /** Ends those that `of` picks; returns how many. */
  end(reason: ProxyError, of: (flow: Flow) => boolean): number {
    const picked = [...this.#flows.values()].filter(of)
    for (const flow of picked) flow.end(reason)
    return picked.length
  }
}
