/** Counters and sessions as lists that may be long: whole or in pages, made in slices. */
import type { CounterQuery, CounterView, SessionQuery, SessionView } from '../../control/control.ts'
import { type Page, pageOf } from '../../control/page.ts'
import { formatAddress } from '../../core/address.ts'
import type { Clock } from '../../core/env.ts'
import { sniffedName } from '../../core/session.ts'
import { mapInSlices } from '../../core/time/slices.ts'
import type { Counter, Counters } from '../../stats/counters.ts'
import type { Flow } from '../flow/flow.ts'
import type { Flows } from '../flow/flows.ts'

export class Lists {
  readonly #instance: { readonly counters: Counters; readonly flows: Flows }
  readonly #clock: Clock

  constructor(instance: { readonly counters: Counters; readonly flows: Flows }, clock: Clock) {
    this.#instance = instance
    this.#clock = clock
  }

  counters(): Promise<CounterView[]> {
    return mapInSlices(this.#clock, this.#instance.counters, ([name, { value }]) => ({ name, value }))
  }

  async counterPage(query: CounterQuery): Promise<Page<CounterView, string>> {
    const found = containing(this.#instance.counters, query.containing ?? '')
    const { items, ...more } = await pageOf(this.#clock, found, query)
    return { items: items.map(({ name, counter }) => ({ name, value: counter.value })), ...more }
  }

  sessions(): Promise<SessionView[]> {
    return mapInSlices(this.#clock, this.#instance.flows, sessionView)
  }

  async sessionPage(query: SessionQuery): Promise<Page<SessionView, number>> {
    const { items, ...more } = await pageOf(this.#clock, flowsOf(this.#instance.flows, query), query)
    return { items: items.map(sessionView), ...more }
  }
}

function* containing(counters: Counters, part: string): Iterable<readonly [string, NamedCounter]> {
  for (const [name, counter] of counters) if (name.includes(part)) yield [name, { name, counter }]
}

interface NamedCounter {
  readonly name: string
  readonly counter: Counter
}

function* flowsOf(flows: Flows, { email, inbound }: SessionQuery): Iterable<readonly [number, Flow]> {
  const wanted = email?.toLowerCase()
  for (const flow of flows) {
    const { id, user, inboundTag } = flow.session
    if (wanted !== undefined && user.email.toLowerCase() !== wanted) continue
    if (inbound === undefined || inboundTag === inbound) yield [id, flow]
  }
}

function sessionView(flow: Flow): SessionView {
  const { session, totals } = flow
  flow.noteEncoding()
  const sniffed = sniffedName(session)
  return {
    id: session.id,
    inbound: session.inboundTag,
    outbound: session.outboundTag ?? '',
    rule: session.rule ?? '',
    email: session.user.email,
    source: session.source,
    target: formatAddress(session.target),
    ...(sniffed !== undefined && { sniffed }),
    network: session.network,
    ...(session.encoding !== undefined && { encoding: session.encoding }),
    startedAt: session.startedAt,
    totals: { ...totals },
  }
}
