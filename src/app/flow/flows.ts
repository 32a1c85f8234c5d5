import type { AccountBook } from '../../account/book.ts'
import type { Conn } from '../../core/conn.ts'
import type { Clock } from '../../core/env.ts'
import type { ProxyError } from '../../core/errors.ts'
import type { FlowRequest } from '../../core/session.ts'
import { Flow, type Origin } from './flow.ts'

const nobody = { email: '', level: 0 }

export interface FlowsDeps {
  readonly clock: Clock
  readonly accounts: AccountBook
  /** The id of the next session: a whole number that nobody else was given who is seen by the same Control. */
  readonly nextId: () => number
  /** Told of each client that asks for something, and so has shown who it is. */
  readonly asked?: (near: Conn) => void
}

/** Counts up from 1. */
export function countingIds(): () => number {
  let last = 0
  return () => ++last
}

/** Every flow in progress, by the id of its session. */
export class Flows {
  readonly #clock: Clock
  readonly #accounts: AccountBook
  readonly #nextId: () => number
  readonly #asked: ((near: Conn) => void) | undefined
  readonly #flows = new Map<number, Flow>()

  constructor({ clock, accounts, nextId, asked }: FlowsDeps) {
    this.#asked = asked
    this.#clock = clock
    this.#accounts = accounts
    this.#nextId = nextId
  }

  /** Enters a flow that a client asked for. Nothing has been checked yet. */
  open(origin: Origin, near: Conn, { network, target, user = nobody, attributes }: FlowRequest): Flow {
    const session = {
      id: this.#nextId(),
      inboundTag: origin.tag,
      source: near.info.remote,
      startedAt: this.#clock.now(),
      network,
      target,
      user: { email: user.email, level: user.level },
      ...(attributes && { attributes }),
    }
    const flow = new Flow(origin, session, user, this.#accounts.get(user.email), near)
    this.#flows.set(session.id, flow)
    this.#asked?.(near)
    return flow
  }

  /** Strikes a flow off. */
  close(flow: Flow): void {
    flow.account?.leave(flow)
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
