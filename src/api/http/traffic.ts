/** How fast bytes pass: sampled once a second, while somebody wants to know. */
import type { Control, ControlEvent, SessionView } from '../../control/control.ts'
import type { Cancel, Clock, Logger } from '../../core/env.ts'
import type { Totals } from '../../core/session.ts'

/** Plaintext bytes per second. */
export type Speed = Readonly<Totals>

export interface Sample {
  /** Milliseconds since the epoch. */
  readonly at: number
  readonly sessions: readonly SessionView[]
  /** By id of the session. */
  readonly speeds: ReadonlyMap<number, Speed>
  /** Everything carried since the API was started, sessions in progress included. */
  readonly totals: Readonly<Totals>
  readonly speed: Speed
  /** Those who carried something since the last sample, or have a session. */
  readonly users: ReadonlyMap<string, { readonly speed: Speed; readonly sessions: number }>
}

const periodMs = 1_000
/** How long sampling goes on after a question. */
const askedMs = 10_000

const nothing: Readonly<Totals> = { uplink: 0, downlink: 0 }

export interface TrafficDeps {
  readonly control: Control
  readonly clock: Clock
  readonly log: Logger
}

type Listener = (sample: Sample) => void | Promise<void>

export class Traffic {
  readonly #control: Control
  readonly #clock: Clock
  readonly #log: Logger
  readonly #listeners = new Set<Listener>()
  #unwatch: () => void = () => {}
  /** Of sessions that have ended. */
  readonly #ended: Totals = { uplink: 0, downlink: 0 }
  /** Sessions that ended since the last sample, by id. */
  readonly #late = new Map<number, { readonly email: string; readonly totals: Readonly<Totals> }>()
  #before: ReadonlyMap<number, Readonly<Totals>> = new Map()
  #speeds: ReadonlyMap<number, Speed> = new Map()
  #sampledAt = 0
  #wantedUntil = 0
  #timer: Cancel | undefined
  /** While a sample is taken and told: the next second does not wait for it, and takes none then. */
  #busy = false

  private constructor({ control, clock, log }: TrafficDeps) {
    this.#control = control
    this.#clock = clock
    this.#log = log
  }

  /** Adds up what is carried from now on. Speeds are sampled while somebody asks. */
  static async start(deps: TrafficDeps): Promise<Traffic> {
    const traffic = new Traffic(deps)
    traffic.#unwatch = await deps.control.watch((event) => traffic.#tell(event))
    return traffic
  }

  /** Calls `listener` with every sample, once a second, from when it resolves, with how to stop. */
  async watch(listener: Listener): Promise<() => void> {
    this.#listeners.add(listener)
    await this.#start()
    return () => {
      this.#listeners.delete(listener)
      if (this.#listeners.size === 0 && this.#clock.elapsed() >= this.#wantedUntil) this.#stop()
    }
  }

  /** Speed of a session in the last second; if that was not sampled, its average since it began. Sampling starts with it. */
  speedOf({ id, totals, startedAt }: SessionView): Speed {
    this.#wantedUntil = this.#clock.elapsed() + askedMs
    void this.#start()
    const seconds = Math.max(1, (this.#clock.now() - startedAt) / 1000)
    return this.#speeds.get(id) ?? perSecond(totals, seconds)
  }

  close(): void {
    this.#unwatch()
    this.#listeners.clear()
    this.#stop()
  }

  #tell(event: ControlEvent): void {
    if (event.type !== 'closed') return
    add(this.#ended, event.totals)
    if (!this.#timer) return
    const { id, user } = event.session
    this.#late.set(id, { email: user.email, totals: event.totals })
  }

  async #start(): Promise<void> {
    if (this.#timer) return
    this.#sampledAt = this.#clock.elapsed()
    this.#timer = this.#clock.after(periodMs, () => this.#tick())
    await this.#guarded(async () => {
      this.#before = new Map((await this.#control.sessions()).map(({ id, totals }) => [id, totals]))
    })
  }

  #stop(): void {
    this.#timer?.()
    this.#timer = undefined
    this.#before = new Map()
    this.#speeds = new Map()
    this.#late.clear()
  }

  #tick(): void {
    if (this.#listeners.size === 0 && this.#clock.elapsed() >= this.#wantedUntil) {
      this.#stop()
      return
    }
    this.#timer = this.#clock.after(periodMs, () => this.#tick())
    void this.#guarded(async () => {
      const sessions = await this.#control.sessions()
      if (!this.#timer) return // nobody wants to know any more
      const sample = this.#sample(sessions)
      for (const listener of this.#listeners) await listener(sample)
    })
  }

  /** One at a time. Who asks the control in vain asks again a second later. */
  async #guarded(work: () => Promise<void>): Promise<void> {
    if (this.#busy) return
    this.#busy = true
    await work().catch((err: unknown) => this.#log.error({ err }, 'the traffic could not be sampled'))
    this.#busy = false
  }

  #sample(all: readonly SessionView[]): Sample {
    const at = this.#clock.elapsed()
    // Two samples at the same moment must not make speeds out of nothing.
    const seconds = at > this.#sampledAt ? (at - this.#sampledAt) / 1000 : periodMs / 1000
    // What ended while they were listed counts as ended.
    const sessions = all.filter(({ id }) => !this.#late.has(id))
    const before = new Map<number, Readonly<Totals>>()
    const speeds = new Map<number, Speed>()
    const totals = { ...this.#ended }
    const moved = { ...nothing }
    const users = new Map<string, { moved: Totals; sessions: number }>()
    const user = (email: string) => {
      const known = users.get(email) ?? { moved: { ...nothing }, sessions: 0 }
      users.set(email, known)
      return known
    }
    for (const [id, { email, totals }] of this.#late) {
      const since = less(totals, this.#before.get(id) ?? nothing)
      add(moved, since)
      add(user(email).moved, since)
    }
    for (const session of sessions) {
      const since = less(session.totals, this.#before.get(session.id) ?? nothing)
      before.set(session.id, session.totals)
      speeds.set(session.id, perSecond(since, seconds))
      add(totals, session.totals)
      add(moved, since)
      const of = user(session.email)
      of.sessions++
      add(of.moved, since)
    }
    this.#late.clear()
    this.#before = before
    this.#speeds = speeds
    this.#sampledAt = at
    const withSpeed = [...users].map(
      ([email, { moved, sessions }]) => [email, { speed: perSecond(moved, seconds), sessions }] as const,
    )
    return {
      at: this.#clock.now(),
      sessions,
      speeds,
      totals,
      speed: perSecond(moved, seconds),
      users: new Map(withSpeed),
    }
  }
}

function add(to: Totals, more: Readonly<Totals>): void {
  to.uplink += more.uplink
  to.downlink += more.downlink
}

const less = (a: Readonly<Totals>, b: Readonly<Totals>): Totals => ({
  uplink: a.uplink - b.uplink,
  downlink: a.downlink - b.downlink,
})

const perSecond = ({ uplink, downlink }: Readonly<Totals>, seconds: number): Speed => ({
  uplink: Math.round(uplink / seconds),
  downlink: Math.round(downlink / seconds),
})
